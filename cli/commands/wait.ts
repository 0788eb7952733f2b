// orrery wait: waits until objects meet a condition, exist or are gone.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { objectStates } from "../client/object-states.ts";
import { pathOf } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import {
  checkTargets,
  fetchTargets,
  type Target,
  type TargetFlags,
  targetPath,
  targetsOf,
  throwAll,
} from "../client/targets.ts";
import { formatList, objectPrinter, type OutputFlags } from "../printers/output.ts";
import { duration, strings } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock, interruption } from "./cluster-option.ts";
import { withFiles, withSelection } from "./object-options.ts";
import { type Condition, parseCondition } from "./wait-conditions.ts";

interface Flags extends GlobalFlags, TargetFlags, OutputFlags {
  readonly for?: readonly string[];
  readonly timeout: number;
}
/** kubectl's meaning of a negative timeout. */
const week = 7 * 24 * 3_600_000;

interface Waiting {
  readonly scope: Session;
  readonly signal: AbortSignal;
  readonly deadline: number;
  readonly isImmediate: boolean;
}

const where = ({ resource, name }: Target): string => `${resource.plural}/${name}`;

/** Lists become the objects that they select. */
async function named(scope: Session, targets: readonly Target[]): Promise<readonly Target[]> {
  const lists = targets.filter(({ name }) => name === undefined);
  const { found, errors } = await fetchTargets(scope.api, lists);
  throwAll(errors);
  const selected = found.map(({ resource, object: { metadata } }) => ({
    resource,
    namespace: metadata.namespace,
    name: metadata.name,
  }));
  return [...targets.filter(({ name }) => name !== undefined), ...selected];
}

const isMissing = (error: unknown): undefined => {
  if (hasReason(error, "NotFound")) return undefined;
  throw error;
};
const read = ({ scope }: Waiting, target: Target): Promise<ApiObject | undefined> =>
  scope.api.get<ApiObject>(targetPath(target)).catch(isMissing);

/** The states of an object until the deadline. */
const states = ({ scope, deadline, signal }: Waiting, target: Target): AsyncIterable<ApiObject | undefined> =>
  objectStates(scope.api, pathOf(target.resource, target.namespace), target.name!, {
    timeoutMs: Math.max(1, deadline - clock.now()),
    signal,
  });

/** Waits for one object. Throws CliError when the time is over. */
async function waitFor(waiting: Waiting, target: Target, condition: Condition): Promise<ApiObject | undefined> {
  const current = await read(waiting, target);
  const isDone = (object: ApiObject | undefined): boolean => {
    if (condition.kind === "delete") return object === undefined || object.metadata.uid !== current?.metadata.uid;
    if (object === undefined) return false;
    return condition.kind === "create" || condition.isMet(object);
  };
  if (current === undefined && condition.kind === "met") return void (await waiting.scope.api.get(targetPath(target)));
  if (isDone(current)) return current;
  if (waiting.isImmediate) throw new CliError(`condition not met for ${where(target)}`);
  for await (const object of states(waiting, target)) if (isDone(object)) return object ?? current;
  throw waiting.signal.aborted
    ? waiting.signal.reason
    : new CliError(
        condition.kind === "create"
          ? "timed out waiting for the condition"
          : `timed out waiting for the condition on ${where(target)}`,
      );
}

const wait = async (args: readonly string[], flags: Flags): Promise<void> => {
  if (!flags.for?.length) throw new CliError("unrecognized condition: []", "For example: --for=condition=Ready");
  const conditions = flags.for.map(parseCondition);
  checkTargets(args, flags, {});
  const printer = flags.output ? await objectPrinter(flags) : undefined;
  const scope = await session(flags);
  const targets = await named(scope, await targetsOf(scope, args, flags));
  const isDeletion = conditions[0]!.kind === "delete";
  if (targets.length === 0 && isDeletion) return;
  if (targets.length === 0) throw new CliError("no matching resources found");
  const timeout = flags.timeout < 0 ? week : flags.timeout;
  const waiting = { scope, signal: interruption(), deadline: clock.now() + timeout, isImmediate: timeout === 0 };
  const errors: unknown[] = [];
  for (const target of targets)
    try {
      let object: ApiObject | undefined;
      const existed = isDeletion ? await read(waiting, target) : undefined;
      for (const condition of conditions)
        object = await scope.whileShowing(`waiting for ${where(target)}`, () => waitFor(waiting, target, condition));
      const type = `${target.resource.singular}${target.resource.group === "" ? "" : `.${target.resource.group}`}`;
      if (printer && object) process.stdout.write(printer(object));
      else if (!isDeletion) process.stdout.write(`${type}/${target.name} condition met\n`);
      else if (existed) process.stdout.write(`${type}/${target.name} condition met\n`);
    } catch (error) {
      errors.push(error);
    }
  throwAll(errors);
};

/** Adds `wait` to the program. */
export const register = (program: Command): void => {
  withFiles(withSelection(program.command("wait [args...]")))
    .usage("[options] (TYPE NAME | TYPE/NAME) --for=(delete | create | condition=NAME[=VALUE] | jsonpath=PATH[=VALUE])")
    .option(
      "--for <condition>",
      "delete, create, condition=NAME[=VALUE] or jsonpath='{PATH}'[=VALUE]; may be repeated",
      strings,
    )
    .option("--all", "all objects of the types")
    .option("--timeout <duration>", "how long to wait; 0 checks once, a negative one waits a week", duration, 30_000)
    .option("-o, --output <format>", `print the object: ${formatList()}`)
    .addHelpText(
      "after",
      "\nExamples:\n  orrery wait pod/web-1 --for=condition=Ready\n  orrery wait pods -l app=web --for=delete --timeout=60s",
    )
    .action(wait);
};
