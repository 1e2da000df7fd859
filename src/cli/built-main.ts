import { compileProgram, loadProgram } from './compiled-program.ts';

/** Stands for `main.ts` in what is built: the program is a file of its own. */
export const { main } = loadProgram(compileProgram(__dirname), __dirname);
