// Reads the files that configure an API server, as kube-apiserver's options of the same names do.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { readAdmissionConfiguration } from "../apiserver/admission/configuration-file.ts";
import { type AuditPolicy, readAuditPolicy } from "../apiserver/audit/policy.ts";
import { readEncryptionConfiguration } from "../apiserver/storage/encryption/configuration.ts";
import { authenticationOf } from "./authentication-config.ts";
import type { AuthenticationFlags } from "./authentication-options.ts";
import { CliError } from "./cli-error.ts";
import type { ServerConfig } from "./cluster/config.ts";
import { parseCount } from "./cluster/size.ts";
import { readFrom } from "./read-config.ts";
import { type TracingFlags, tracingOf } from "./tracing/config.ts";

/** The options of `orrery server` that name such files. */
export interface ApiServerFlags extends AuthenticationFlags, TracingFlags {
  readonly admissionControlConfigFile?: string;
  readonly auditPolicyFile?: string;
  readonly auditLogPath?: string;
  readonly auditLogMaxage: string;
  readonly auditLogMaxbackup: string;
  readonly auditLogMaxsize: string;
  readonly encryptionProviderConfig?: string;
  readonly encryptionProviderConfigAutomaticReload?: boolean;
}

/** The audit policy in a file. Throws CliError. */
export const auditPolicyIn = (path: string): AuditPolicy => readFrom(path, "the audit policy", readAuditPolicy);

/** Whole numbers of days, files or MiB. */
const count = (text: string, what: string, least: number): number => parseCount(text, what, least, 1_000_000);

function auditOf(flags: ApiServerFlags): ServerConfig["audit"] {
  const { auditPolicyFile, auditLogPath } = flags;
  if (auditPolicyFile === undefined && auditLogPath === undefined) return undefined;
  if (auditPolicyFile === undefined || auditLogPath === undefined)
    throw new CliError(
      "audit needs both a policy and a log",
      "Set --audit-policy-file and --audit-log-path, which may be - for standard output.",
    );
  return {
    policy: auditPolicyIn(auditPolicyFile),
    log: {
      path: auditLogPath,
      maxAgeDays: count(flags.auditLogMaxage, "days", 0),
      maxBackups: count(flags.auditLogMaxbackup, "files", 0),
      maxSizeMiB: count(flags.auditLogMaxsize, "megabytes", 1),
    },
  };
}

/** What the options configure. Throws CliError. */
export function apiServerConfig(
  flags: ApiServerFlags,
): Pick<ServerConfig, "admission" | "audit" | "authentication" | "encryption" | "tracing"> {
  const { admissionControlConfigFile: admissionFile, encryptionProviderConfig: path } = flags;
  const [audit, authentication, tracing] = [auditOf(flags), authenticationOf(flags), tracingOf(flags)];
  const besideIt = (file: string): string => readFileSync(resolve(dirname(admissionFile ?? "."), file), "utf8");
  // It is read again by the server, which follows it.
  if (path !== undefined) readFrom(path, "the encryption configuration", readEncryptionConfiguration);
  return {
    ...(admissionFile !== undefined && {
      admission: readFrom(admissionFile, "the admission configuration", (text) =>
        readAdmissionConfiguration(text, besideIt),
      ),
    }),
    ...(audit && { audit }),
    ...(authentication && { authentication }),
    ...(tracing && { tracing }),
    ...(path !== undefined && {
      encryption: { path: resolve(path), isReloaded: flags.encryptionProviderConfigAutomaticReload === true },
    }),
  };
}
