// The configuration of admission plugins in a file. Source: AdmissionConfiguration of apiserver.config.k8s.io/v1.
import { type ConfigKind, readConfigFile, structs, textSchema } from "../documents/config-file.ts";
import { inOrder, readYaml } from "../documents/yaml.ts";
import type { AdmissionConfig } from "./plugins.ts";
import { podSecurityOptions } from "./podsecurity/configuration.ts";

const kind: ConfigKind = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "AdmissionConfiguration",
  fields: {
    plugins: structs("AdmissionPluginConfiguration", { name: textSchema, path: textSchema, configuration: {} }),
  },
};
interface AdmissionConfiguration {
  readonly plugins?: readonly { readonly name?: string; readonly path?: string; readonly configuration?: unknown }[];
}

/**
 * What a file configures of admission. Plugins may have files of their own, which `readFile` reads. Throws what is
 * wrong with any of them.
 */
export function readAdmissionConfiguration(
  text: string,
  readFile: (path: string) => string,
): Partial<Pick<AdmissionConfig, "podSecurity">> {
  const { plugins = [] } = readConfigFile<AdmissionConfiguration>(text, kind);
  const other = plugins.find(({ name }) => name !== "PodSecurity");
  if (other) throw new Error(`the admission plugin ${JSON.stringify(other.name ?? "")} has no configuration here`);
  const [plugin, second] = plugins;
  if (second) throw new Error("the admission plugin PodSecurity is configured twice");
  if (!plugin) return {};
  const { path, configuration } = plugin;
  return {
    podSecurity: podSecurityOptions(configuration ?? (path ? inOrder(readYaml(readFile(path)).value) : undefined)),
  };
}
