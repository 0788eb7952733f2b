// Makes the decisions of controllers again, over views rebuilt from a recorded history, and compares them with what
// happened. Pure: it has neither a clock nor a client.
import type { ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, controllerOf, type Instant, type Key, keyOf, type Revision } from "../api/meta.ts";
import { type Action, describeAction } from "./action.ts";
import { childrenIn, type Controller, type Decision, type Views } from "./controller.ts";
import { fits, isFulfilled, isOnObject, type RecordedChange } from "./replay-matching.ts";
import { type Lister, type View, view } from "./view.ts";

/** A state, and all changes after it in order. */
export interface Recording {
  readonly kinds: ReadonlyMap<ResourceDefinition, readonly ApiObject[]>;
  readonly from: { readonly revision: Revision; readonly time: Instant };
  readonly until: Instant;
  readonly changes: readonly RecordedChange[];
}

/** What was decided and did not happen, or happened and was not decided. */
export interface Difference {
  readonly controller: string;
  readonly key: Key;
  readonly type: "NotDone" | "NotDecided";
  readonly what: string;
  readonly revision: Revision;
  readonly because: readonly string[];
}
export interface Replayed {
  /** How often something was decided. */
  readonly decisions: number;
  /** Actions that happened as they were decided. */
  readonly confirmed: number;
  /** Actions that were no longer decided after another change, before anything of them happened. */
  readonly superseded: number;
  readonly differences: readonly Difference[];
}

/** The loop acts within this time of a change; back-offs of failed actions are longer. */
const graceMs = 10_000;

/** An action that is decided, since when, and whether it has happened. */
interface Pending {
  readonly action: Action;
  readonly since: { readonly revision: Revision; readonly time: Instant };
  readonly because: readonly string[];
  /** Set when it has not happened in time; withdrawn when it happens after all. */
  late: Difference | undefined;
}

/** The views of the recorded kinds, with the indexes that the controllers declare. */
function recordedViews({ kinds, from }: Recording, controllers: readonly Controller[]) {
  const at = { revision: from.revision };
  const deletions = new Map<string, number>();
  const all = new Map<ResourceDefinition, View<ApiObject>>();
  for (const [kind, objects] of kinds) {
    const own = view<ApiObject>();
    for (const c of controllers) for (const w of c.watches) if (w.kind === kind) own.addIndexes(w.indexes);
    own.replace(objects);
    all.set(kind, own);
  }
  const of = <T extends ApiObject>(kind: ResourceDefinition<T>): Lister<T> => {
    const own = all.get(kind as unknown as ResourceDefinition)! as View<ApiObject> as unknown as View<T>;
    return { ...own, revision: at.revision };
  };
  const views: Views = {
    of,
    childrenOf: (kind, owner, selector) => childrenIn(of(kind), owner, selector),
    deletionsOf: ({ metadata }) => deletions.get(metadata.uid) ?? 0,
  };
  return {
    views,
    apply({ kind, after, before, revision }: RecordedChange): void {
      at.revision = revision;
      if (after) all.get(kind)?.set(after);
      else if (before) {
        all.get(kind)?.remove(before);
        const owner = controllerOf(before);
        if (owner) deletions.set(owner.uid, (deletions.get(owner.uid) ?? 0) + 1);
      }
    },
  };
}

const idOf = (c: Controller, key: Key): string => `${c.name} ${key}`;

/** Which controller of a recording a change belongs to, because it owns the created object. */
const creatorOf = ({ kind, before, after }: RecordedChange, controllers: readonly Controller[]) => {
  const owner = after && !before ? controllerOf(after) : undefined;
  return owner && controllers.find((c) => c.reconciles.kind === owner.kind && c.owns.includes(kind));
};

/** Decides about keys, and follows what becomes of the actions. */
class Follower {
  readonly #pending = new Map<string, { readonly c: Controller; readonly key: Key; actions: Pending[] }>();
  readonly #views: Views;
  readonly #differences = new Set<Difference>();
  decisions = 0;
  confirmed = 0;
  superseded = 0;
  constructor(views: Views) {
    this.#views = views;
  }

  readonly differences = (): readonly Difference[] => [...this.#differences].sort((a, b) => a.revision - b.revision);

  /** Whether the present state already has what an action would write. */
  #isDone(action: Action): boolean {
    if (action.do === "event") return true;
    if (!isOnObject(action)) return false;
    const present = this.#views.of(action.resource as ResourceDefinition).get(keyOf(action.object));
    return present !== undefined && fits(action, present);
  }

  decide(c: Controller, key: Key, at: Pending["since"]): Decision | undefined {
    const observed = c.observe(this.#views, key, at.time);
    const decision = observed === undefined ? undefined : c.decide(observed, at.time);
    if (decision) this.decisions++;
    const before = this.#pending.get(idOf(c, key))?.actions ?? [];
    const because = decision?.because ?? [];
    const actions = (decision?.actions ?? [])
      .filter((action) => !this.#isDone(action))
      .map((action): Pending => {
        const same = before.find((other) => describeAction(other.action) === describeAction(action));
        return { action, because, since: same?.since ?? at, late: same?.late };
      });
    this.superseded += before.filter(
      (old) => !old.late && !actions.some(({ since, action }) => since === old.since && action.do === old.action.do),
    ).length;
    if (actions.length > 0) this.#pending.set(idOf(c, key), { c, key, actions });
    else this.#pending.delete(idOf(c, key));
    return decision;
  }

  /** Actions that have not happened for too long. */
  expire(now: Instant): void {
    for (const { c, key, actions } of this.#pending.values())
      for (const p of actions) {
        if (p.late || now - p.since.time < graceMs) continue;
        const { because, since, action } = p;
        const what = describeAction(action);
        p.late = { controller: c.name, key, type: "NotDone", what, because, revision: since.revision };
        this.#differences.add(p.late);
      }
  }

  /** Finds the decided action that a change carries out. */
  confirm(change: RecordedChange, controllers: readonly Controller[]): void {
    for (const entry of this.#pending.values()) {
      const index = entry.actions.findIndex(({ action }) => isFulfilled(action, change));
      if (index < 0) continue;
      const { late } = entry.actions[index]!;
      if (late) this.#differences.delete(late);
      entry.actions = entry.actions.toSpliced(index, 1);
      this.confirmed++;
      return;
    }
    const creator = creatorOf(change, controllers);
    if (!creator) return;
    const { name = "" } = controllerOf(change.after!) ?? {};
    this.#differences.add({
      ...{
        controller: creator.name,
        key: keyOf({ metadata: { ...change.after!.metadata, name } }),
        type: "NotDecided",
      },
      ...{ what: `create ${change.kind.plural} ${keyOf(change.after!)}`, revision: change.revision, because: [] },
    });
  }
}

/** A key that is due again. */
interface Due {
  readonly c: Controller;
  readonly key: Key;
  readonly time: Instant;
}

/** Makes all decisions of a recording again: at its beginning, after every change, and when keys are due again. */
export function replay(recording: Recording, controllers: readonly Controller[]): Replayed {
  const { views, apply } = recordedViews(recording, controllers);
  const follower = new Follower(views);
  const due = new Map<string, Due>();
  const decide = (c: Controller, key: Key, at: Pending["since"]): void => {
    const wait = follower.decide(c, key, at)?.requeueAfter;
    if (wait === undefined) due.delete(idOf(c, key));
    else due.set(idOf(c, key), { c, key, time: (at.time + Math.max(wait, 1)) as Instant });
  };
  const pass = (until: Instant, revision: Revision): void => {
    for (;;) {
      const next = [...due.values()].filter(({ time }) => time < until).toSorted((a, b) => a.time - b.time)[0];
      if (!next) break;
      due.delete(idOf(next.c, next.key));
      decide(next.c, next.key, { revision, time: next.time });
    }
    follower.expire(until);
  };
  for (const c of controllers) {
    const own = views.of(c.reconciles as ResourceDefinition).all();
    for (const key of [...own.map(keyOf), ...c.initialKeys]) decide(c, key, recording.from);
  }
  let { revision } = recording.from;
  for (const change of recording.changes) {
    pass(change.time, revision);
    follower.confirm(change, controllers);
    ({ revision } = change);
    apply(change);
    const { kind, before, after, time } = change;
    const type = after ? (before ? "updated" : "added") : "deleted";
    const concerned = controllers.flatMap((c) =>
      c.watches.flatMap((w) =>
        w.kind === kind
          ? w.keysOf(after ?? before!, { before, type, views, now: time }).map((key) => ({ c, key }))
          : [],
      ),
    );
    for (const { c, key } of new Map(concerned.map((one) => [idOf(one.c, one.key), one])).values())
      decide(c, key, { revision, time });
  }
  pass(recording.until, revision);
  const { decisions, confirmed, superseded, differences } = follower;
  return { decisions, confirmed, superseded, differences: differences() };
}
