// Policies in the labels of namespaces, and in the configuration of the plugin.
import { expect, test } from "vitest";
import { podSecurityOptions } from "../../../../apiserver/admission/podsecurity/configuration.ts";
import { parsePolicy, privilegedPolicy, showLevel } from "../../../../apiserver/admission/podsecurity/levels.ts";

const shown = (labels: Readonly<Record<string, string>>): string => {
  const prefixed = Object.fromEntries(Object.entries(labels).map(([k, v]) => [`pod-security.kubernetes.io/${k}`, v]));
  const { policy, problems } = parsePolicy(prefixed, privilegedPolicy);
  const levels = (["enforce", "audit", "warn"] as const).map((mode) => showLevel(policy[mode])).join(" ");
  return [levels, ...problems.map(({ path, message }) => `${path}: ${message}`)].join("; ");
};
const at = "metadata.labels[pod-security.kubernetes.io/";

const labelled: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
  [{}, "privileged:latest privileged:latest privileged:latest"],
  [{ audit: "baseline" }, "privileged:latest baseline:latest privileged:latest"],
  [{ warn: "restricted", "warn-version": "v1.0" }, "privileged:latest privileged:latest restricted:v1.0"],
  // A level to enforce is warned of, unless there is a level to warn of.
  [{ enforce: "baseline", "enforce-version": "v1.30" }, "baseline:v1.30 privileged:latest baseline:v1.30"],
  [
    { enforce: "baseline", "enforce-version": "v1.30", "warn-version": "v1.31" },
    "baseline:v1.30 privileged:latest baseline:v1.31",
  ],
  [{ enforce: "restricted", warn: "privileged" }, "restricted:latest privileged:latest privileged:latest"],
  // What cannot be read is refused where it is enforced only.
  [
    { enforce: "b", audit: "b", warn: "b" },
    `restricted:latest privileged:latest privileged:latest; ${at}enforce]: Invalid value: "b": must be one of privileged, baseline, restricted; ${at}audit]: Invalid value: "b": must be one of privileged, baseline, restricted; ${at}warn]: Invalid value: "b": must be one of privileged, baseline, restricted`,
  ],
  ...["v2.0", "1.30", "v1.030", "v1.", "Latest", ""].map(
    (version) =>
      [
        { enforce: "baseline", "enforce-version": version },
        `baseline:latest privileged:latest baseline:latest; ${at}enforce-version]: Invalid value: "${version}": must be "latest" or "v1.x"`,
      ] as const,
  ),
];
test.each(labelled)("%j", (labels, expected) => {
  expect(shown(labels)).toBe(expected);
});

const configuration = (fields: object): object => ({
  apiVersion: "pod-security.admission.config.k8s.io/v1",
  kind: "PodSecurityConfiguration",
  ...fields,
});

test("a configuration has defaults and exemptions", () => {
  const defaults = { enforce: "baseline", "enforce-version": "v1.20", warn: "restricted" };
  expect(podSecurityOptions(configuration({ defaults, exemptions: { namespaces: ["kube-system"] } }))).toEqual({
    defaults: {
      enforce: { level: "baseline", version: 20 },
      audit: { level: "privileged", version: "latest" },
      warn: { level: "restricted", version: "latest" },
    },
    exemptions: { usernames: [], namespaces: ["kube-system"], runtimeClasses: [] },
  });
});

test.each([
  [{ default: {} }, 'unknown field "default"'],
  [
    { defaults: { enforce: "x" } },
    'defaults.enforce: Invalid value: "x": must be one of privileged, baseline, restricted',
  ],
  [{ defaults: { "warn-version": "x" } }, 'defaults.warn-version: Invalid value: "x": must be "latest" or "v1.x"'],
  [{ exemptions: { namespaces: ["a", "a"] } }, 'exemptions.namespaces[1]: Duplicate value: "a"'],
  [{ exemptions: { namespaces: ["A"] } }, 'exemptions.namespaces[0]: Invalid value: "A": a lowercase RFC 1123 label'],
  [{ exemptions: { namespaces: [""] } }, 'exemptions.namespaces[0]: Invalid value: "": a lowercase RFC 1123 label'],
  [{ exemptions: { runtimeClasses: ["."] } }, 'exemptions.runtimeClasses[0]: Invalid value: "."'],
  [{ exemptions: { usernames: [""] } }, 'exemptions.usernames[0]: Invalid value: "": username must not be empty'],
  [{ kind: "Other" }, "it is a Other of pod-security.admission.config.k8s.io/v1"],
])("the configuration %j is refused", (fields, message) => {
  expect(() => podSecurityOptions(configuration(fields))).toThrow(message);
});
