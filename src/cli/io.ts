import type { ReadStream, WriteStream } from 'node:tty';

/** The terminal, pipe or file on each side of the command. Tests pass streams of their own. */
export interface Io {
  argv: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  /** Empty when it was removed. */
  workingDirectory: string;
  stdin: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode' | 'unref'>>;
  stdout: NodeJS.WritableStream &
    Partial<Pick<WriteStream, 'isTTY' | 'columns' | 'rows'>> & {
      /** Where it is a file, only its owner can read it from now on: the shell makes what everybody can. */
      keepFromOthers?(): void;
      /** Whether nobody will ever read it: it is /dev/null, as it is too when it was closed. */
      isDiscarded?: boolean;
    };
  stderr: NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>;
  /** Whether it shall outlive its terminal, as whom nohup starts. */
  ignoresHangup?: boolean;
  /** Lets everything else on this host go first, for as long as the process lives; left out where it is not the command's own. */
  giveWay?: () => Promise<void>;
}
