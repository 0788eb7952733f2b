// How objects differ between two moments of the past, or between one and now.
import { hasReason } from "../../api/errors.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { readObjects } from "../client/lists.ts";
import { type Moment, momentOf } from "../client/moments.ts";
import type { Resource } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { type Target, type TargetFlags, targetsOf } from "../client/targets.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";
import { compareVersions, type NamedVersions, shown, withoutSecrets } from "./diff-versions.ts";

interface Flags extends GlobalFlags, TargetFlags {
  readonly at: readonly string[];
  readonly showManagedFields?: boolean;
  readonly showSecrets?: boolean;
}
type ByName = ReadonlyMap<string, ApiObject>;

/** What is compared when no type is named: events say themselves when they were. */
const isCompared = ({ namespaced, verbs, kind }: Resource): boolean =>
  namespaced && verbs.includes("list") && kind !== "Event";

/** The lists of all kinds of the namespace. */
const targetsInNamespace = async ({ mapper, namespace }: Session): Promise<readonly Target[]> =>
  (await mapper.all()).filter(isCompared).map((resource) => ({ resource, namespace, name: undefined }));

/** The objects of a target at a moment, by namespace and name. A single one may not be there. */
async function objectsAt({ api }: Session, target: Target, at: Moment | undefined): Promise<ByName> {
  try {
    const objects = await readObjects(api, target, { chunkSize: 500, at });
    return new Map(objects.map((object) => [`${object.metadata.namespace ?? ""}/${object.metadata.name}`, object]));
  } catch (error) {
    if (target.name !== undefined && hasReason(error, "NotFound")) return new Map();
    throw error;
  }
}

/** The objects of a target that differ. Without types named, kinds that may not be listed are left out. */
async function versionsOf(scope: Session, target: Target, moments: readonly (Moment | undefined)[], flags: Flags) {
  const [before, after] = (await Promise.all(moments.map((at) => objectsAt(scope, target, at)))) as [ByName, ByName];
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort();
  return ids.flatMap((id): NamedVersions[] => {
    const [old, now] = [before.get(id), after.get(id)];
    if (old?.metadata.resourceVersion === now?.metadata.resourceVersion) return [];
    const versions = { before: old && shown(old, flags), after: now && shown(now, flags) };
    const { namespace, name } = (old ?? now)!.metadata;
    const of = { resource: target.resource, namespace, name };
    return [{ target: of, ...(flags.showSecrets ? versions : withoutSecrets(versions)) }];
  });
}

/** Compares; resolves with the exit code: 0 without differences, 1 with some. */
export async function diffMoments(args: readonly string[], flags: Flags): Promise<number> {
  if (flags.filename?.length || flags.kustomize) throw new CliError("--at compares the past, not files: leave out -f");
  if (flags.at.length > 2)
    throw new CliError("--at may be set twice at most", "For example: orrery diff deploy/web --at 1h --at 10m");
  const scope = await session(flags);
  const now = clock.now();
  const named = await Promise.all(flags.at.map((text) => momentOf(scope.api, text, now)));
  const moments = [named[0], named[1]];
  const targets =
    args.length > 0 ? await targetsOf(scope, args, flags, { listsTypes: true }) : await targetsInNamespace(scope);
  const versions = await Promise.all(
    targets.map((target) =>
      versionsOf(scope, target, moments, flags).catch((error: unknown) => {
        if (args.length === 0 && hasReason(error, "Forbidden", "MethodNotAllowed")) return [];
        throw error;
      }),
    ),
  );
  const folders = moments.map((moment) => (moment ? `AT-${moment.revision}-` : "NOW-")) as [string, string];
  return compareVersions(versions.flat(), flags.environment, folders);
}
