// Which cluster, user and namespace a command uses.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Kubeconfig, merged, select, withLocatedFiles } from "../../../../cli/client/kubeconfig.ts";
import { addContext, removeContext, withProperty } from "../../../../cli/client/kubeconfig-edit.ts";
import { readKubeconfig } from "../../../../cli/client/kubeconfig-files.ts";

const config: Kubeconfig = {
  clusters: [
    { name: "a", cluster: { server: "https://a", "certificate-authority-data": "QQ==" } },
    { name: "b", cluster: { server: "b:8080" } },
  ],
  users: [
    { name: "jane", user: { token: "t" } },
    { name: "joe", user: { "client-certificate-data": "QQ==", "client-key-data": "QQ==" } },
  ],
  contexts: [
    { name: "one", context: { cluster: "a", user: "jane", namespace: "ux" } },
    { name: "two", context: { cluster: "b", user: "joe" } },
  ],
  "current-context": "one",
};
const chosen = (flags: object) => select(config, { environment: {}, ...flags });

test.each<[what: string, flags: object, server: string, namespace: string | undefined]>([
  ["the current context", {}, "https://a", "ux"],
  ["another context", { context: "two" }, "http://b:8080", undefined],
  ["a namespace by flag", { namespace: "web" }, "https://a", "web"],
  ["an empty namespace", { namespace: "" }, "https://a", "ux"],
  ["another cluster", { cluster: "b" }, "http://b:8080", "ux"],
  ["a server by flag", { server: "https://c" }, "https://c", "ux"],
])("%s", (_, flags, server, namespace) => {
  const { cluster, namespace: found } = chosen(flags);
  expect([cluster.server, found]).toEqual([server, namespace]);
});

test("flags replace what the kubeconfig has", () => {
  expect(chosen({ user: "joe", token: "x" }).user).toEqual({
    "client-certificate-data": "QQ==",
    "client-key-data": "QQ==",
    token: "x",
  });
  expect(chosen({ insecureSkipTlsVerify: true }).cluster).toEqual({
    server: "https://a",
    "insecure-skip-tls-verify": true,
  });
  expect(chosen({ as: "bob", asGroup: ["g"], asUserExtra: ["k=v", "k=w"] }).user).toEqual({
    token: "t",
    as: "bob",
    "as-groups": ["g"],
    "as-user-extra": { k: ["v", "w"] },
  });
});

test.each([
  [{ context: "x" }, "Error in configuration: context was not found for specified context: x"],
  [{ cluster: "x" }, 'no server found for cluster "x"'],
  [{ user: "x" }, 'auth info "x" does not exist'],
])("%j is refused", (flags, message) => expect(() => chosen(flags)).toThrow(message));

test("of several files, the first that has a name wins", () => {
  const other: Kubeconfig = {
    clusters: [{ name: "a", cluster: { server: "https://other" } }],
    users: [],
    contexts: [{ name: "three", context: {} }],
    "current-context": "three",
  };
  const both = merged([config, other]);
  expect(both.clusters.map(({ name, cluster }) => [name, cluster.server])).toEqual([
    ["a", "https://a"],
    ["b", "b:8080"],
  ]);
  expect(both.contexts.map(({ name }) => name)).toEqual(["one", "two", "three"]);
  expect(both["current-context"]).toBe("one");
});

test("files are relative to the kubeconfig", () => {
  const users = [{ name: "u", user: { "client-key": "k.pem", tokenFile: "", token: "t" } }];
  const { users: found } = withLocatedFiles({ clusters: [], contexts: [], users }, (path) => `/etc/${path}`);
  expect(found[0]!.user).toEqual({ "client-key": "/etc/k.pem", tokenFile: "", token: "t" });
});

test.each<[path: string, value: string | undefined, expected: unknown]>([
  ["current-context", "two", "two"],
  ["current-context", undefined, ""],
  ["contexts.one.namespace", "web", { cluster: "a", user: "jane", namespace: "web" }],
  ["contexts.one.namespace", undefined, { cluster: "a", user: "jane" }],
  ["contexts.new.ly.cluster", "a", { cluster: "a" }],
  ["clusters.a.insecure-skip-tls-verify", "true", { "insecure-skip-tls-verify": true }],
])("the property %s set to %s", (path, value, expected) => {
  const changed = withProperty(config, path, value);
  const [section, ...rest] = path.split(".");
  if (section === "current-context") expect(changed["current-context"]).toBe(expected);
  else {
    const name = rest.slice(0, -1).join(".");
    const entries = changed[section as "contexts"] as readonly { readonly name: string }[];
    const { name: _, ...entry } = entries.find((e) => e.name === name)!;
    expect(Object.values(entry)[0]).toMatchObject(expected as object);
  }
});

const folder = mkdtempSync(join(tmpdir(), "orrery-kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a cluster's context is added beside others, made current, and removed", async () => {
  const file = join(folder, "sub", "config");
  await addContext(file, config);
  const own: Kubeconfig = {
    clusters: [{ name: "orrery", cluster: { server: "https://o" } }],
    users: [{ name: "orrery", user: {} }],
    contexts: [{ name: "orrery", context: { cluster: "orrery", user: "orrery" } }],
    "current-context": "orrery",
  };
  await addContext(file, own);
  await addContext(file, own);
  const both = await readKubeconfig(file);
  expect(both?.contexts.map(({ name }) => name)).toEqual(["one", "orrery", "two"]);
  expect(both?.["current-context"]).toBe("orrery");
  await removeContext(file, "orrery");
  const left = await readKubeconfig(file);
  expect(left?.contexts.map(({ name }) => name)).toEqual(["one", "two"]);
  expect(left?.["current-context"]).toBe("");
});
