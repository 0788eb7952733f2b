// What keys do to the interactive view: tables of keys, the page that is then shown, and the command that is given.
import { describe, expect, test } from "vitest";
import type { Row } from "../../../../cli/ui/list.ts";
import { topPage } from "../../../../cli/ui/state.ts";
import { afterEvents, resourceNamed, resources, started, summary, typed } from "./states.ts";

const shownNames = (state: ReturnType<typeof started>): readonly string[] => {
  const { content } = topPage(state);
  return content.kind === "list" ? content.shown.map(({ name }) => name) : [];
};

/** Keys on a list of pods, and the page that is shown after them. */
const pages: readonly (readonly [keys: string, shown: string])[] = [
  // Moving.
  ["j", "pods default @1"],
  ["jj<up>", "pods default @1"],
  ["G", "pods default @3"],
  ["Gg", "pods default @0"],
  ["<pagedown>", "pods default @3"],
  ["k", "pods default @0"],
  // Opening and going back.
  ["j<enter>", "containers Pod/web-6d4cf56db6-abcde"],
  ["d", "describe Pod/api-0"],
  ["y", "yaml Pod/api-0"],
  ["dy", "yaml Pod/api-0"],
  ["l", "logs Pod/api-0"],
  ["t", "tree Pod/api-0"],
  ["x", "tree Pod/api-0"],
  ["?", "help"],
  ["d<esc>", "pods default @0"],
  ["jdyq", "describe Pod/web-6d4cf56db6-abcde"],
  ["jd<esc>", "pods default @1"],
  ["<enter>q", "pods default @0"],
  ["<esc>", "pods default @0"],
  ["0", "pods * @0"],
  // The prompt.
  [":deploy<enter>", "deployments default @0"],
  [":deployments kube-system<enter>", "deployments kube-system @0"],
  [":Deployment.apps all<enter>", "deployments * @0"],
  [":no<enter>", "nodes * @0"],
  [":ns<enter>", "namespaces * @0"],
  [":ns kube-system<enter>", "pods kube-system @0"],
  [":ns kube-system<enter>:cm<enter>", "configmaps kube-system @0"],
  [":dep<tab><enter>", "deployments default @0"],
  [":cro<enter>", "cronjobs default @0"],
  [":cm k<tab><enter>", "configmaps kube-system @0"],
  [":ctx<enter>", "contexts"],
  [":help<enter>", "help"],
  [":deploy<esc>", "pods default @0"],
  [":dx<backspace><backspace><backspace>j", "pods default @1"],
  [":deploy x<ctrl-w><ctrl-u>cm<enter>", "configmaps default @0"],
  // Filters.
  ["/-l app=web<enter>", "pods default app=web @0"],
  ["/-l app=web<enter><esc>", "pods default @0"],
  ["/web<enter>j<esc>", "pods default @2"],
];

/** Keys on a list of pods, and the command that they give. */
const commands: readonly (readonly [keys: string, command: object | undefined])[] = [
  ["q", { type: "quit" }],
  [":q<enter>", { type: "quit" }],
  [":quit<enter>", { type: "quit" }],
  ["d<ctrl-c>", { type: "quit" }],
  [":<ctrl-c>", { type: "quit" }],
  [":ctx prod<enter>", { type: "use-context", name: "prod" }],
  [":widgets<enter>", { type: "discover", text: "widgets" }],
  ["s", { type: "shell", of: { name: "api-0", namespace: "default" } }],
  ["e", { type: "edit", of: { name: "api-0" } }],
  ["j<ctrl-d>y", { type: "delete", of: { name: "web-6d4cf56db6-abcde" } }],
  ["<ctrl-k>", { type: "delete", of: { name: "api-0" }, gracePeriod: 1 }],
  ["<ctrl-d>n", undefined],
  ["<ctrl-d><enter>", undefined],
  ["<ctrl-d>", undefined],
  ["ds", undefined],
];

/** Keys that filter or sort, and the pods that are listed then. */
const filters: readonly (readonly [keys: string, names: readonly string[]])[] = [
  ["/web<enter>", ["web-6d4cf56db6-abcde", "web-6d4cf56db6-fghij"]],
  ["/!web", ["api-0", "worker-2"]],
  ["/RUNNING", ["api-0", "web-6d4cf56db6-abcde"]],
  ["/^(api|worker)", ["api-0", "worker-2"]],
  ["/(", []],
  ["/web<esc>", ["api-0", "web-6d4cf56db6-abcde", "web-6d4cf56db6-fghij", "worker-2"]],
  ["T", ["api-0", "worker-2", "web-6d4cf56db6-abcde", "web-6d4cf56db6-fghij"]],
  ["TT", ["web-6d4cf56db6-fghij", "web-6d4cf56db6-abcde", "api-0", "worker-2"]],
  ["A", ["worker-2", "web-6d4cf56db6-abcde", "web-6d4cf56db6-fghij", "api-0"]],
  ["S", ["web-6d4cf56db6-fghij", "worker-2", "api-0", "web-6d4cf56db6-abcde"]],
  ["oo", ["web-6d4cf56db6-fghij", "worker-2", "api-0", "web-6d4cf56db6-abcde"]],
];

/** Commands of types that are not served. */
const unknown: readonly (readonly [keys: string, text: string])[] = [
  [":pdos<enter>", 'the server doesn\'t have a resource type "pdos"; did you mean pods?'],
  [":x y<enter>", 'the server doesn\'t have a resource type "x"'],
];

test.each(pages)("%s shows %s", (keys, shown) => {
  expect(summary(typed(started(), keys).state)).toBe(shown);
});

test.each(commands)("%s gives the command %j", (keys, command) => {
  const { command: received } = typed(started(), keys);
  if (command === undefined) expect(received).toBeUndefined();
  else expect(received).toMatchObject(command);
});

test.each(filters)("%s lists %j", (keys, names) => {
  expect(shownNames(typed(started(), keys).state)).toEqual(names);
});

test.each(unknown)("%s, still unknown after discovery, says %s", (keys, text) => {
  const { state, command } = typed(started(), keys);
  expect(command).toMatchObject({ type: "discover" });
  const typedText = keys.slice(1, -"<enter>".length);
  const next = afterEvents(state, { type: "discovered", resources, namespaces: [], contexts: [], typed: typedText });
  expect(next.notice).toEqual({ text, isError: true });
});

describe("Enter", () => {
  const row = (name: string): Row => ({ id: name, name, namespace: undefined, cells: [name] });
  test.each([
    ["deployments", "pods default of x @0"],
    ["nodes", "pods * spec.nodeName=x @0"],
    ["namespaces", "pods x @0"],
    ["cronjobs", "tree CronJob/x"],
    ["configmaps", "describe ConfigMap/x"],
  ])("on one of %s shows %s", (plural, shown) => {
    const resource = resourceNamed(plural);
    const namespace = resource.namespaced ? "default" : undefined;
    const state = started({ source: { resource, namespace }, table: [{ ...row("x"), namespace }] });
    expect(summary(typed(state, "<enter>").state)).toBe(shown);
  });
});

test("read-only, keys that change objects are refused", () => {
  for (const key of ["e", "s", "<ctrl-d>", "<ctrl-k>"]) {
    const { state, command } = typed(started({ isReadOnly: true }), key);
    expect(command).toBeUndefined();
    expect(state.notice?.isError).toBe(true);
    expect(state.question).toBeUndefined();
  }
});

test("the cursor stays on its row while rows come and go above it", () => {
  const update = { changes: [{ id: "default/api-0", isGone: true as const }], replaces: false };
  const state = afterEvents(typed(started(), "jj").state, { page: 1, type: "rows", update });
  expect(summary(state)).toBe("pods default @1");
  expect(shownNames(state)).toEqual(["web-6d4cf56db6-abcde", "web-6d4cf56db6-fghij", "worker-2"]);
});

test("a paste goes into the prompt as one line, and nowhere else", () => {
  expect(afterEvents(started(), { type: "paste", text: "q" })).toEqual(started());
  const { state } = typed(started(), ":");
  expect(afterEvents(state, { type: "paste", text: "deploy\n kube-system\n" }).prompt?.text).toBe("deploy kube-system");
});

describe("a log", () => {
  const lines = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `line ${i}`);
  const opened = typed(started({ rows: 10 }), "l").state;
  const page = topPage(opened).id;
  const log = { pod: "api-0", container: "app", containers: ["app", "proxy"] };
  const state = afterEvents(
    opened,
    { page, type: "log", log },
    { page, type: "lines", lines: lines(100), replaces: true },
  );
  const textOf = (current: typeof state) => {
    const { content } = topPage(current);
    return content.kind === "text" ? content : undefined;
  };

  test("follows its end until it is scrolled, and again at the end", () => {
    expect(textOf(state)).toMatchObject({ top: 92, isFollowing: true });
    const scrolled = typed(state, "<pageup>").state;
    expect(textOf(scrolled)).toMatchObject({ top: 84, isFollowing: false });
    const more = afterEvents(scrolled, { page, type: "lines", lines: lines(5), replaces: false });
    expect(textOf(more)).toMatchObject({ top: 84, isFollowing: false });
    expect(textOf(typed(more, "G").state)).toMatchObject({ top: 97, isFollowing: true });
  });
  test("keeps the last lines only, and those in view in place", () => {
    const scrolled = typed(state, "<pageup>").state;
    const more = afterEvents(scrolled, { page, type: "lines", lines: lines(4_950), replaces: false });
    expect(textOf(more)?.lines).toHaveLength(5_000);
    expect(textOf(more)?.shown[textOf(more)!.top]).toBe("line 84");
  });
  test("is filtered as text is typed", () => {
    expect(textOf(typed(state, "/line 9\\d").state)?.shown).toHaveLength(10);
  });
  test.each([
    ["p", { previous: true }],
    ["pp", { previous: false }],
    ["t", { timestamps: true }],
    ["c", { container: "proxy" }],
  ])("%s reads it with %j", (keys, source) => {
    const next = topPage(typed(state, keys).state);
    expect(next.source).toMatchObject({ type: "logs", ...source });
    expect(next.id).not.toBe(page);
  });
});

test("a search moves a description to its matches", () => {
  const opened = typed(started({ rows: 6 }), "d").state;
  const lines = Array.from({ length: 30 }, (_, i) => (i % 10 === 5 ? `Events: ${i}` : `Field ${i}`));
  const state = afterEvents(opened, { page: topPage(opened).id, type: "lines", lines, replaces: true });
  const topOf = (keys: string) => {
    const { content } = topPage(typed(state, keys).state);
    return content.top;
  };
  expect(["/events<enter>", "/events<enter>n", "/events<enter>nN", "/events<enter>N"].map(topOf)).toEqual([
    5, 15, 5, 25,
  ]);
});
