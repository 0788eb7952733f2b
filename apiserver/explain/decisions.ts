// Decisions of controllers about an object and what it owns, as far as a user may read what they are about.
import { jobs } from "../../api/batch/jobs.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { events } from "../../api/core/events.ts";
import type { DecisionRecord, Reason } from "../../api/explanation/decisions.ts";
import { type ApiObject, controllerOf, instantOf, type Key, key, keyOf, splitKey } from "../../api/meta.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { Reader } from "./reader.ts";
import type { Relations } from "./relations.ts";

/** At most so many decisions are shown, and so many owned objects are looked up. */
const limits = { records: 40, owned: 10 };
/** Kinds of controllers that are owned by other controllers. */
const intermediate = [replicaSets, jobs];

type Decisions = (key: Key) => readonly DecisionRecord[];

/** The decisions about an object, about controllers that it owns, and those of its controller that name it. */
export function decisionsAbout(object: ApiObject, relations: Relations, of: Decisions): readonly DecisionRecord[] {
  const since = instantOf(object.metadata.creationTimestamp);
  const own = keyOf(object);
  const about = (k: Key, kind: string): readonly DecisionRecord[] =>
    of(k).filter((record) => record.kind === kind && record.at >= since);
  const owned = intermediate.flatMap((r) =>
    relations
      .keys(r, "controller", object.metadata.uid)
      .slice(0, limits.owned)
      .flatMap((k) => about(k, r.kind)),
  );
  const controller = controllerOf(object);
  const named = controller
    ? of(key(object.metadata.namespace, controller.name)).filter(
        ({ kind, actions }) => kind === controller.kind && actions.some((line) => line.endsWith(` ${own}`)),
      )
    : [];
  return [...about(own, object.kind), ...owned, ...named].toSorted((a, b) => a.at - b.at).slice(-limits.records);
}

/** An action on an object: `create pods default/web-x7k2p`. */
const action = /^([a-z]+) (\S+) (\S+)$/;

/**
 * Leaves out what the user may not read: reasons and actions about other objects. Texts are shown to those who may list
 * events, which are made from them.
 */
export async function readableDecisions(
  records: readonly DecisionRecord[],
  kinds: Pick<KindRegistry, "all">,
  reader: Reader,
): Promise<readonly DecisionRecord[]> {
  const isReadable = async (matches: (r: { readonly kind: string; readonly plural: string }) => boolean, k: Key) => {
    const r = kinds.all().find(matches);
    const { namespace, name } = splitKey(k);
    return r !== undefined && ((await reader.may("list", r, namespace)) || reader.may("get", r, namespace, name));
  };
  const reasonOf = async (reason: Reason): Promise<readonly Reason[]> =>
    !("key" in reason) || (await isReadable(({ kind }) => kind === reason.kind, reason.key)) ? [reason] : [];
  const actionOf = async (line: string, showsTexts: boolean): Promise<readonly string[]> => {
    const [, verb, plural = "", k = ""] = action.exec(line) ?? [];
    if (verb === undefined) return showsTexts ? [line] : [];
    return (await isReadable((r) => r.plural === plural, k as Key)) ? [line] : [`${verb} ${plural}`];
  };
  const shown = records.map(async (record): Promise<readonly DecisionRecord[]> => {
    const { kind, error, because, ...rest } = record;
    if (!(await isReadable((r) => r.kind === kind, record.key))) return [];
    const showsTexts = await reader.may("list", events, splitKey(record.key).namespace ?? "default");
    const [reasons, actions] = await Promise.all([
      Promise.all(record.reasons.map(reasonOf)),
      Promise.all(record.actions.map((line) => actionOf(line, showsTexts))),
    ]);
    return [
      {
        ...rest,
        ...(kind !== undefined && { kind }),
        ...{ reasons: reasons.flat(), actions: actions.flat(), because: showsTexts ? because : [] },
        ...(showsTexts && error !== undefined && { error }),
      },
    ];
  });
  return (await Promise.all(shown)).flat();
}
