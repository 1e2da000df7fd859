import type { Command } from 'commander';
import type { Wrap } from '../../program.ts';
import { addImagesDiff } from './diff.ts';
import { addImagesInspect } from './inspect.ts';
import { addImagesList } from './list.ts';
import { addImagesLoad } from './load.ts';
import { addImagesPrune } from './prune.ts';
import { addImagesReceipt } from './receipt.ts';
import { addImagesRemove } from './remove.ts';
import { addImagesSave } from './save.ts';
import { addImagesVerify } from './verify.ts';

/** The commands of `dockerctl images`. */
export function addImages(program: Command, wrap: Wrap): void {
  const images = program.command('images').description('load, inspect, save and compare images, by release');
  addImagesLoad(images, wrap);
  addImagesInspect(images, wrap);
  addImagesVerify(images, wrap);
  addImagesSave(images, wrap);
  addImagesReceipt(images, wrap);
  addImagesList(images, wrap);
  addImagesDiff(images, wrap);
  addImagesRemove(images, wrap);
  addImagesPrune(images, wrap);
}
