// orrery set: changes the images, variables, resources, service account, selector or subjects of objects.
import type { Command } from "commander";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { checkTargets } from "../client/targets.ts";
import { podSpecOf } from "../generators/pod-template.ts";
import { amountsOf } from "../generators/policies.ts";
import { type SubjectFlags, subjectsOf } from "../generators/rbac.ts";
import {
  imagesOf,
  selectorLabels,
  withImages,
  withResources,
  withSelector,
  withServiceAccount,
  withSubjects,
} from "../generators/set-fields.ts";
import { withSubjectOptions } from "./create-access.ts";
import { type Modification, type ModifyFlags, modify, named, withModification } from "./modify.ts";
import { addSetEnv } from "./set-env.ts";

/** How a change of a pod template is printed and fails. */
const template = (operation: string, failure: string, change: Modification["change"]): Modification => ({
  operation,
  failure: `failed to patch ${failure}`,
  change,
  printsUnchanged: false,
  needsAll: true,
});

/** A change of a pod template; kinds without one are refused by name. */
const ofTemplate =
  (change: (object: ApiObject) => ApiObject): Modification["change"] =>
  (object, found) => {
    named(found, () => podSpecOf(object));
    return change(object);
  };

const setImage = async (args: readonly string[], flags: ModifyFlags): Promise<void> => {
  if (flags.all && flags.selector) throw new CliError("cannot set --all and --selector at the same time");
  const isPair = (arg: string): boolean => arg.indexOf("=") > 0;
  const resources = args.filter((arg) => !isPair(arg));
  if (!flags.local) checkTargets(resources, flags, {});
  const images = imagesOf(args.filter(isPair));
  const change = ofTemplate((object) => withImages(object, images));
  await modify(resources, flags, template("image updated", "image update to pod template: ", change));
};

interface ResourceFlags extends ModifyFlags {
  readonly containers: string;
  readonly limits?: string;
  readonly requests?: string;
}

const setResources = async (args: readonly string[], flags: ResourceFlags): Promise<void> => {
  if (!flags.local) checkTargets(args, flags, {});
  if (!flags.limits && !flags.requests)
    throw new CliError("you must specify an update to requests or limits (in the form of --requests/--limits)");
  const amounts = { limits: amountsOf(flags.limits), requests: amountsOf(flags.requests) };
  const change = ofTemplate((object) => withResources(object, flags.containers, amounts));
  await modify(args, flags, template("resource requirements updated", "resources update to pod template ", change));
};

const setServiceAccount = async (args: readonly string[], flags: ModifyFlags): Promise<void> => {
  const name = args.at(-1);
  if (name === undefined) throw new CliError("serviceaccount is required");
  const change = ofTemplate((object) => withServiceAccount(object, name));
  const how = { ...template("serviceaccount updated", "ServiceAccountName ", change), printsUnchanged: true };
  await modify(args.slice(0, -1), flags, how);
};

interface SelectorFlags extends ModifyFlags {
  readonly resourceVersion?: string;
}

const setSelector = async (args: readonly string[], flags: SelectorFlags): Promise<void> => {
  const text = args.at(-1);
  if (text === undefined) throw new CliError("one selector is required");
  const resources = args.slice(0, -1);
  if (!flags.local) checkTargets(resources, flags, {});
  const labels = selectorLabels(text);
  const change = (object: ApiObject): ApiObject => {
    const changed = withSelector(object, labels);
    const { resourceVersion } = flags;
    return resourceVersion
      ? ({ ...changed, metadata: { ...changed.metadata, resourceVersion } } as ApiObject)
      : changed;
  };
  await modify(resources, flags, { change, operation: "selector updated", printsUnchanged: true, needsAll: true });
};

const setSubject = async (args: readonly string[], flags: ModifyFlags & SubjectFlags): Promise<void> => {
  if (!flags.local) checkTargets(args, flags, {});
  const subjects = subjectsOf(flags);
  if (subjects.length === 0) throw new CliError("you must specify at least one value of user, group or serviceaccount");
  const change: Modification["change"] = (object, found) => named(found, () => withSubjects(object, subjects));
  await modify(args, flags, template("subjects updated", "subjects to rolebinding: ", change));
};

/** The arguments after the objects. */
const values: Readonly<Record<string, string>> = {
  image: " CONTAINER=IMAGE...",
  env: " (NAME=VALUE | NAME-)...",
  serviceaccount: " SERVICEACCOUNT",
  selector: " LABELS",
};

/** Adds `set` to the program. */
export const register = (program: Command): void => {
  const set = program.command("set").summary("change the images, variables or other fields of objects");
  const add = (name: string, summary: string, example: string): Command =>
    withModification(
      set
        .command(name)
        .argument("[args...]")
        .usage(`[options] (TYPE NAME | TYPE/NAME)${values[name] ?? ""}`)
        .summary(summary)
        .addHelpText("after", `\nExamples:\n  orrery set ${example}`),
      "kubectl-set",
    );
  add("image", "change the images of containers", "image deploy/web web=nginx:1.27").action(setImage);
  addSetEnv(add);
  add(
    "resources",
    "change the limits and requests of containers",
    "resources deploy/web --limits=cpu=200m,memory=512Mi",
  )
    .option("-c, --containers <name>", "the containers to change; * stands for any text", "*")
    .option("--limits <amounts>", "the limits, as RESOURCE=AMOUNT,...")
    .option("--requests <amounts>", "the requests, as RESOURCE=AMOUNT,...")
    .action(setResources);
  add("serviceaccount", "change the service account of pods", "serviceaccount deploy/web shop")
    .alias("sa")
    .action(setServiceAccount);
  add("selector", "change the selector of a service", "selector service web app=web,version=2")
    .option("--resource-version <version>", "only if the object still has this version")
    .action(setSelector);
  withSubjectOptions(add("subject", "add subjects to a role binding", "subject rolebinding readers --user=ann")).action(
    setSubject,
  );
};
