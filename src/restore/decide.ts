import { type Provenance, requireProvenance } from '../repository/signed/provenance.ts';
import { shortId } from '../repository/snapshot/short-id.ts';
import type { Snapshot } from '../repository/snapshot/snapshot.ts';
import { collectOften } from '../support/collect-often.ts';
import type { Context } from '../support/context.ts';
import { UsageError } from '../support/errors.ts';
import { toText } from '../support/posix/byte-path.ts';
import { expectProc } from '../support/posix/expect-proc.ts';
import type { Decided, RunPorts } from './decided.ts';
import { restoreJournals } from './journal.ts';
import type { Target } from './places.ts';
import { absentSources } from './plan/absent-sources.ts';
import { type ChosenSnapshot, chooseSnapshot } from './plan/choose.ts';
import { findDataDirectories } from './plan/data-directories.ts';
import { expectWhole } from './plan/expect-whole.ts';
import { withFilters } from './plan/filters.ts';
import { findGround } from './plan/ground.ts';
import { lackedImages, refuseMissingImages } from './plan/images.ts';
import { expectSpace } from './plan/needs.ts';
import { refuseOtherRelease } from './plan/other-release.ts';
import { planRestore, type RestorePlan, type Survey } from './plan/plan.ts';
import { selectSources } from './plan/select.ts';
import { strayStagings } from './plan/stray-stagings.ts';
import { surveyHost } from './plan/survey.ts';
import { unlikeBefore } from './plan/unlike-before.ts';
import type { RestorePorts, RestoreRequest } from './restore.ts';
import { advisedRepository, type Damaged, pastDamage } from './salvage/past-damage.ts';
import { type Salvage, salvageSources } from './salvage/salvage.ts';

/** Looks at everything that a restore will need, and changes nothing. */
export async function decide(
  request: RestoreRequest,
  ports: RestorePorts,
  context: Context,
): Promise<{ decided: Decided; runPorts: RunPorts }> {
  expectProc('restoring');
  collectOften();
  const host = request.to === undefined ? ports.host : undefined;
  const chosen = await choose(request, { ...ports, host }, context);
  const { snapshot, selected, repository, passedOver, provenance, losses } = chosen;
  const ground = await findGround(selected, host, request.to, context.stateDir);
  const release = host?.deployment.release;
  const options = { services: host?.services, release, partial: request.only.length > 0 };
  const survey = await surveyHost(repository, snapshot, selected, ground, options, context);
  if (request.to !== undefined) refuseExisting(survey.targets);
  const planned = planRestore(snapshot, selected, chosen.skipped, survey);
  const known = (await restoreJournals(context.stateDir)).map(({ record }) => record.id);
  const strays = strayStagings(ground.layout, known);
  const warnings = [...chosen.doubts, ...ground.targets.flatMap(stays), ...strays, ...planned.warnings];
  const plan = { ...planned, warnings, passedOver, provenance, losses };
  refuseOtherRelease(plan, survey);
  expectImages(chosen, plan, survey);
  expectSpace(plan.space, request.to !== undefined);
  const restored = selected.filter(({ summary }) => plan.sources.some(({ name }) => name === summary.name));
  const decided = { request, snapshot, selected: restored, plan, services: survey.services };
  return { decided, runPorts: { repository, host } };
}

/** What is restored: which sources of which snapshot, and by whom it is. */
interface Choice extends ChosenSnapshot, Salvage {
  provenance: Provenance;
}

async function choose(request: RestoreRequest, ports: RestorePorts, context: Context): Promise<Choice> {
  const { host, keys = {} } = ports;
  const deployment = request.adopted ? undefined : host?.deployment.name;
  const { snapshot, passedOver, doubts } = await chooseSnapshot(
    request.snapshot,
    ports.repository,
    deployment,
  );
  const provenance = await expectProvenance(snapshot, ports);
  const sources = await chooseSources(request, ports, snapshot, context);
  const declared = host?.deployment.backup?.sources ?? [];
  const { selected, doubts: unknown } = host
    ? await withFilters(
        await findDataDirectories(sources.selected, sources.repository, snapshot, host, context),
        declared,
        snapshot,
        ports.repository,
      )
    : { selected: sources.selected, doubts: [] };
  const absent = await absentSources(snapshot, request, declared, ports.repository);
  const unlike = await unlikeBefore(snapshot, provenance, ports.repository, keys);
  const skipped = [...sources.skipped, ...absent.skipped];
  const damage = await knownDamage(request, { snapshot, repository: ports.repository });
  const told = [...doubts, ...damage, ...absent.doubts, ...unknown, ...unlike];
  return { ...sources, selected, skipped, snapshot, provenance, passedOver, doubts: told };
}

/** What the last check found is told before the snapshot is read. */
async function knownDamage({ skipDamaged, options }: RestoreRequest, asked: Damaged): Promise<string[]> {
  if (skipDamaged || !asked.snapshot.damaged) return [];
  return [`the last check found this snapshot damaged: ${await pastDamage({ ...asked, options })}`];
}

async function expectProvenance(
  snapshot: Snapshot,
  { repository, keys = {} }: RestorePorts,
): Promise<Provenance> {
  const what = `snapshot ${shortId(snapshot.id)}`;
  return requireProvenance(await repository.signedConfig(snapshot), keys, what);
}

async function chooseSources(
  request: RestoreRequest,
  { repository, host }: RestorePorts,
  snapshot: Snapshot,
  context: Context,
): Promise<Salvage> {
  const sources = selectSources(snapshot, request, host?.deployment.backup?.sources ?? []);
  if (sources.selected.length === 0)
    throw new UsageError(`restoring ${snapshot.id}: nothing of it is chosen`);
  if (!request.skipDamaged) {
    const asked = { snapshot, repository, options: request.options };
    await expectWhole(asked, sources.selected);
    return { ...sources, repository: advisedRepository(asked), losses: [] };
  }
  return salvageSources(repository, snapshot, sources, request.to, context);
}

function refuseExisting(targets: readonly { where: string; exists: boolean }[]): void {
  const existing = targets.find(({ exists }) => exists);
  if (existing === undefined) return;
  throw new UsageError(`restoring to a directory: ${existing.where} exists already`, {
    advice: 'Name a directory that does not hold it',
    facts: { path: existing.where },
  });
}

function stays({ untouched = [] }: Target): string[] {
  return untouched.map((path) => `${toText(path)} stays as it is: backups leave it out`);
}

function expectImages({ selected, losses }: Salvage, { start }: RestorePlan, { services }: Survey): void {
  if (selected.some(({ images }) => images)) return;
  const areSpoilt = losses.some(({ kind }) => kind === 'images');
  refuseMissingImages(lackedImages(start, services), areSpoilt);
}
