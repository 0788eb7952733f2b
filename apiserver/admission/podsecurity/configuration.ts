// The configuration of the admission plugin PodSecurity: the policy of namespaces without labels, and what is exempt.
// Source: PodSecurityConfiguration of pod-security.admission.config.k8s.io/v1.
import type { Problem } from "../../../api/errors.ts";
import { validateLabelName, validateSubdomainName } from "../../../api/names.ts";
import { each, invalid, repeated, together } from "../../../api/problems.ts";
import {
  type ConfigKind,
  decodeConfig,
  struct,
  textSchema,
  textsSchema,
  throwProblems,
} from "../../documents/config-file.ts";
import { type LevelVersion, type Mode, type Policy, parseLevel, parseVersion, privilegedPolicy } from "./levels.ts";

/** What the plugin applies beside the labels of namespaces. */
export interface PodSecurityOptions {
  readonly defaults: Policy;
  readonly exemptions: Exemptions;
}
interface Exemptions {
  readonly usernames: readonly string[];
  readonly namespaces: readonly string[];
  readonly runtimeClasses: readonly string[];
}
const noExemptions: Exemptions = { usernames: [], namespaces: [], runtimeClasses: [] };

/** Only labels restrict, and nothing is exempt. */
export const onlyLabels: PodSecurityOptions = { defaults: privilegedPolicy, exemptions: noExemptions };

type Defaults = Readonly<Partial<Record<Mode | `${Mode}-version`, string>>>;
interface PodSecurityConfiguration {
  readonly defaults?: Defaults;
  readonly exemptions?: Partial<Exemptions>;
}
const texts = { ...{ enforce: textSchema, audit: textSchema, warn: textSchema } };
const kind: ConfigKind = {
  apiVersion: "pod-security.admission.config.k8s.io/v1",
  kind: "PodSecurityConfiguration",
  fields: {
    defaults: struct("PodSecurityDefaults", {
      ...texts,
      ...Object.fromEntries(Object.keys(texts).map((mode) => [`${mode}-version`, textSchema])),
    }),
    exemptions: struct("PodSecurityExemptions", {
      ...{ usernames: textsSchema, namespaces: textsSchema, runtimeClasses: textsSchema },
    }),
  },
};

/** A name is required here, unlike in metadata. */
const named =
  (validate: (name: string, path: string) => readonly Problem[]) =>
  (name: string, path: string): readonly Problem[] =>
    name === ""
      ? validate("-", path).map((problem) => ({ ...problem, message: problem.message.replace('"-"', '""') }))
      : validate(name, path);

const exemptionProblems = ({ namespaces, runtimeClasses, usernames }: Exemptions): readonly Problem[] => {
  const self = (name: string): string => name;
  return together(
    each(namespaces, "exemptions.namespaces", named(validateLabelName)),
    repeated(namespaces, "exemptions.namespaces", self),
    each(runtimeClasses, "exemptions.runtimeClasses", named(validateSubdomainName)),
    repeated(runtimeClasses, "exemptions.runtimeClasses", self),
    each(
      usernames,
      "exemptions.usernames",
      (name, at) => name === "" && invalid(at, name, "username must not be empty"),
    ),
    repeated(usernames, "exemptions.usernames", self),
  );
};

/** The options in a decoded PodSecurityConfiguration. Throws what is wrong with it. */
export function podSecurityOptions(configuration: unknown): PodSecurityOptions {
  const { defaults = {}, exemptions = {} } = decodeConfig<PodSecurityConfiguration>(configuration, kind);
  const problems: Problem[] = [];
  const of = (mode: Mode): LevelVersion => {
    const [levelText, versionText] = [defaults[mode] || "privileged", defaults[`${mode}-version`] || "latest"];
    const [level, version] = [parseLevel(levelText), parseVersion(versionText)];
    if ("wrong" in level) problems.push(invalid(`defaults.${mode}`, levelText, level.wrong));
    if ("wrong" in version) problems.push(invalid(`defaults.${mode}-version`, versionText, version.wrong));
    return "wrong" in level || "wrong" in version ? privilegedPolicy[mode] : { ...level, ...version };
  };
  // In the order in which Kubernetes reports them.
  const [enforce, warn, audit] = [of("enforce"), of("warn"), of("audit")];
  const all = { ...noExemptions, ...exemptions };
  throwProblems(together(problems, exemptionProblems(all)));
  return { defaults: { enforce, audit, warn }, exemptions: all };
}
