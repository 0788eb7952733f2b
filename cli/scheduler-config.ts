// Reads a scheduler's configuration file, as kube-scheduler's option --config does.
import { existsSync, readFileSync } from "node:fs";
import { inOrder, readYaml, unmarshalErrors } from "../apiserver/documents/yaml.ts";
import { decodeConfiguration, type KubeSchedulerConfiguration } from "../scheduler/configuration/configuration.ts";
import type { ExtenderConfig } from "../scheduler/extenders/extender-config.ts";
import { configuredPlugins } from "../scheduler/configuration/settings.ts";
import { joined, validateConfiguration } from "../scheduler/configuration/validation.ts";
import { CliError } from "./cli-error.ts";

/** Certificates become part of the configuration: their files are not there where the scheduler runs. */
function withCertificates(extender: ExtenderConfig): ExtenderConfig {
  if (!extender.tlsConfig) return extender;
  const { certFile, keyFile, caFile, ...tls } = extender.tlsConfig;
  const base64 = (file: string): string => {
    if (!existsSync(file)) throw new Error(`couldn't build extenders: open ${file}: no such file or directory`);
    return readFileSync(file).toString("base64");
  };
  return {
    ...extender,
    tlsConfig: {
      ...tls,
      // Data take precedence over files.
      ...(certFile && tls.certData === undefined && { certData: base64(certFile) }),
      ...(keyFile && tls.keyData === undefined && { keyData: base64(keyFile) }),
      ...(caFile && tls.caData === undefined && { caData: base64(caFile) }),
    },
  };
}

/** The configuration in a text. Throws in kube-scheduler's words. */
export function parseSchedulerConfig(text: string): KubeSchedulerConfiguration {
  const { value, twice } = readYaml(text);
  const configuration = decodeConfiguration(inOrder(value), text, twice.length > 0 ? [unmarshalErrors(twice)] : []);
  const problems = validateConfiguration(configuration);
  if (problems.length > 0) throw new Error(joined(problems));
  configuredPlugins(configuration);
  const { extenders } = configuration;
  return extenders ? { ...configuration, extenders: extenders.map(withCertificates) } : configuration;
}

/** Reads and validates a file. Throws CliError. */
export function readSchedulerConfig(file: string): KubeSchedulerConfiguration {
  if (!existsSync(file)) throw new CliError(`the scheduler's configuration ${file} does not exist`);
  try {
    return parseSchedulerConfig(readFileSync(file, "utf8"));
  } catch (error) {
    throw new CliError(
      `the scheduler's configuration ${file} cannot be used: ${(error as Error).message}`,
      "It is a KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1, as for kube-scheduler --config.",
    );
  }
}
