/** Whose calls fail: a command here, or the receiver on the other host while a command here sends to it. */
export interface FailingCommand {
  args: readonly string[];
  /** Where, below the home of all; a place that stands twice is chosen twice as often. */
  places: readonly string[];
  /** It opens what is sealed. */
  opens?: boolean;
  /** It is the receiver whose calls fail. */
  there?: boolean;
  /** Nothing was ever sent to the other host. */
  first?: boolean;
}

/** Where everything lies. The disk is all that a command changes. */
export const places = {
  files: 'files',
  disk: 'disk',
  repository: 'disk/repository',
  state: 'disk/state',
  /** The other host's. */
  vault: 'disk/vault',
  vaultState: 'disk/vault-state',
  /** What was exported. */
  archive: 'disk/archive',
  /** Where restores and exports go. */
  out: 'disk/out',
} as const;

const { files, disk, repository, state, vault, vaultState, archive, out } = places;

/** Where commands are told of a place, its path takes the place of `{…}`. */
export const commands = {
  backup: { args: ['backup'], places: [repository, repository, disk, state, files] },
  send: { args: ['backup', `vault:{${vault}}`], places: [repository, disk, state, files] },
  receive: { args: ['backup', `vault:{${vault}}`], places: [vault, vault, vaultState], there: true },
  receiveFirst: {
    args: ['backup', `vault:{${vault}}`],
    places: [vault, vaultState],
    there: true,
    first: true,
  },
  prune: { args: ['backup', 'prune'], places: [repository, repository, disk, state], opens: true },
  verify: { args: ['backup', 'verify', '--read-data'], places: [repository, disk, state], opens: true },
  list: { args: ['backup', 'list'], places: [repository, disk, state] },
  export: { args: ['backup', 'export', 'latest', '-o', `{${out}}/new.tar`], places: [repository, out] },
  import: {
    args: ['backup', 'import', `{${archive}}/old.tar`, '-r', `{${vault}}`],
    places: [vault, archive, disk],
  },
  restore: {
    args: ['restore', 'latest', '--to', `{${out}}/restored`, '--yes'],
    places: [repository, out, out, state],
    opens: true,
  },
} as const satisfies Record<string, FailingCommand>;

export type CommandName = keyof typeof commands;
