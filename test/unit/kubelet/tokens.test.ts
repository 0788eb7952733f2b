// Projected tokens: requested once, renewed in time, and kept until they expire.
import { expect, test } from "vitest";
import type { Pod } from "../../../api/generated/types.ts";
import { pods } from "../../../api/core/pods.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { key } from "../../../api/meta.ts";
import { bootstrap } from "../../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { tokenIssuer } from "../../../apiserver/verbs/token-requests.ts";
import { tokens } from "../../../apiserver/authentication/tokens.ts";
import { newSigningKey } from "../../../cli/cluster/pki.ts";
import { contentOf } from "../../../kubelet/volumes/content.ts";
import { type HeldTokens, freshTokens, nextRenewal } from "../../../kubelet/volumes/tokens.ts";
import type { World } from "../../../machinery/world.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

const minute = 60_000;
const projection = { path: "token", expirationSeconds: 600 };
const volume = { name: "v", projected: { sources: [{ serviceAccountToken: projection }] } };

async function stage(more: Partial<Pod["spec"]> = {}) {
  const clock = virtualClock();
  const world: World = { clock, random: seeded(1), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const verbs = clusterRegistry(memoryStorage(), world, ranges);
  const issued = tokens(verbs, { issuer: "https://issuer.test", key: await newSigningKey() });
  const client = inProcessClient(verbs, { issue: tokenIssuer(verbs, issued) });
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
  const spec = { containers: [{ name: "c", image: "i" }], automountServiceAccountToken: false, volumes: [volume] };
  const metadata = { name: "p", namespace: "default" };
  const pod = await client.create(pods, { kind: "Pod", metadata, spec: { ...spec, ...more } });
  let held: HeldTokens = new Map();
  const files = (): ReturnType<typeof contentOf> =>
    contentOf(pod.spec.volumes![0]!, { pod, tokens: held, facts: {} as never, lookup: {} as never });
  /** The content of the volume at that minute. */
  const shownAt = async (at: number): Promise<string> => {
    await clock.run(beginning + at * minute);
    held = await freshTokens({ client, world }, pod, held);
    return Buffer.from(files()!["token"]!.data).toString();
  };
  return { client, issued, shownAt, files, renewal: () => (nextRenewal(held)! - beginning) / minute };
}

test("a token is bound to the account and the pod, and renewed after four fifths of its lifetime", async () => {
  const { issued, shownAt, renewal } = await stage();
  const first = await shownAt(0);
  expect((await issued.ownerOf(first)).user).toMatchObject({
    name: "system:serviceaccount:default:default",
    extra: { "authentication.kubernetes.io/pod-name": ["p"] },
  });
  expect(renewal()).toBe(8);
  expect(await shownAt(7)).toBe(first);
  expect(await shownAt(8)).not.toBe(first);
  expect(renewal()).toBe(16);
});

test("a token that cannot be renewed is kept until it expires", async () => {
  const { client, shownAt, renewal } = await stage();
  const first = await shownAt(0);
  await client.delete(serviceAccounts, key("default", "default"));
  expect(await shownAt(9)).toBe(first);
  expect(renewal()).toBeGreaterThan(9);
  await expect(shownAt(10)).rejects.toThrow('failed to fetch token: serviceaccounts "default" not found');
});

test("each audience has its own token", async () => {
  const other = { ...projection, path: "other", audience: "vault" };
  const sources = [{ serviceAccountToken: projection }, { serviceAccountToken: other }];
  const { issued, shownAt, files } = await stage({ volumes: [{ name: "v", projected: { sources } }] });
  await shownAt(0);
  const { token, other: foreign } = files()!;
  expect([Buffer.from(token!.data), Buffer.from(foreign!.data)].map((data) => data.length > 0)).toEqual([true, true]);
  await expect(issued.ownerOf(Buffer.from(foreign!.data).toString())).rejects.toThrow("token audiences");
  expect((await issued.ownerOf(Buffer.from(foreign!.data).toString(), ["vault"])).audiences).toEqual(["vault"]);
});

test("with fsGroup a token is readable by that group only", async () => {
  const { shownAt, files } = await stage({ securityContext: { fsGroup: 1000 } });
  await shownAt(0);
  expect(files()!["token"]!.mode).toBe(0o600);
});
