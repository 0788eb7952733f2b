// Credential plugins: what they are told, what of their output counts, and how failures are worded.
import { expect, test } from "vitest";
import { credentialsIn, execCredentials } from "../../../../cli/client/exec-credentials.ts";
import type { ExecEntry } from "../../../../cli/client/kubeconfig.ts";

const v1 = "client.authentication.k8s.io/v1";
const cluster = { server: "https://10.0.0.1:6443" };
/** A plugin that is a shell script. */
const plugin = (script: string, more: Partial<ExecEntry> = {}): ExecEntry => ({
  ...{ apiVersion: v1, interactiveMode: "Never", command: "sh", args: ["-c", script] },
  ...more,
});
const credential = (status: object | undefined, apiVersion = v1): string =>
  JSON.stringify({ kind: "ExecCredential", apiVersion, ...(status && { status }) });
const failure = (entry: ExecEntry): Promise<string> =>
  execCredentials(entry, cluster).then(
    () => "no failure",
    (e: Error) => e.message,
  );

test("a plugin returns a token, a certificate with its key, or both", () => {
  const pair = { clientCertificateData: "c", clientKeyData: "k" };
  for (const status of [{ token: "t" }, pair, { token: "t", ...pair }])
    expect(credentialsIn(credential(status), v1)).toEqual(status);
});

for (const [what, output, message] of [
  ["no JSON", "hello", "decoding stdout: couldn't get version/kind; json parse error"],
  [
    "another version",
    credential({ token: "t" }, "client.authentication.k8s.io/v1beta1"),
    `exec plugin is configured to use API version ${v1}, plugin returned version client.authentication.k8s.io/v1beta1`,
  ],
  ["no status", credential(undefined), "exec plugin didn't return a status field"],
  ["nothing in it", credential({}), "exec plugin didn't return a token or cert/key pair"],
  ["half a pair", credential({ clientKeyData: "k" }), "exec plugin returned only certificate or key, not both"],
] as const)
  test(`output with ${what} is refused`, () =>
    expect(() => credentialsIn(output, v1)).toThrow(`getting credentials: ${message}`));

test("a plugin gets its arguments, its environment and, if it is to, what the cluster is", async () => {
  const echo = `printf '{"apiVersion":"${v1}","status":{"token":"%s %s"}}' "$WHO" "$(printf %s "$KUBERNETES_EXEC_INFO" | base64 -w0)"`;
  const infoOf = async (more: Partial<ExecEntry>) => {
    const { token = "" } = await execCredentials(plugin(echo, { env: [{ name: "WHO", value: "ann" }], ...more }), {
      ...cluster,
      extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "a" } }],
    });
    const [who, info = ""] = token.split(" ");
    expect(who).toBe("ann");
    return JSON.parse(Buffer.from(info, "base64").toString()) as object;
  };
  const plain = { kind: "ExecCredential", apiVersion: v1, spec: { interactive: false } };
  expect(await infoOf({})).toEqual(plain);
  expect(await infoOf({ provideClusterInfo: true })).toEqual({
    ...plain,
    spec: { interactive: false, cluster: { ...cluster, config: { audience: "a" } } },
  });
});

test("failures name the plugin", async () => {
  expect(await failure(plugin("exit 3"))).toBe("getting credentials: exec: executable sh failed with exit code 3");
  expect(await failure(plugin("", { command: "no-such-plugin", args: [] }))).toBe(
    "getting credentials: exec: executable no-such-plugin not found",
  );
  expect(await failure(plugin("", { interactiveMode: "Always" }))).toBe(
    "getting credentials: exec plugin cannot support interactive mode: standard input is not a terminal",
  );
});

test("entries that lack something are refused before anything runs", async () => {
  const without = (field: keyof ExecEntry): ExecEntry => ({ ...plugin("exit 9"), [field]: undefined });
  expect(await failure(without("apiVersion"))).toContain("apiVersion must be specified");
  expect(await failure(without("interactiveMode"))).toContain("interactiveMode must be specified");
  expect(await failure(without("command"))).toContain("command must be specified");
  expect(await failure(plugin("", { apiVersion: "v1" }))).toContain("invalid apiVersion");
  expect(await failure(plugin("", { interactiveMode: "Sometimes" }))).toContain("invalid interactiveMode");
});
