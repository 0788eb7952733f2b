// orrery certificate: approves or denies certificate signing requests.
import type { Command } from "commander";
import type { CertificateSigningRequest } from "../../api/generated/types.ts";
import { timestamp } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { display } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { fetchTargets, type TargetFlags, targetsOf, throwAll } from "../client/targets.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { clock } from "./cluster-option.ts";
import { withFiles } from "./object-options.ts";

interface Flags extends GlobalFlags, TargetFlags {
  readonly force?: boolean;
}
type Verdict = "Approved" | "Denied";

/** The request with the condition, or undefined when it has it already. Throws CliError for the opposite one. */
function judged(request: CertificateSigningRequest, verdict: Verdict, force: boolean): object | undefined {
  const conditions = request.status?.conditions ?? [];
  const opposite = verdict === "Approved" ? "Denied" : "Approved";
  if (conditions.some(({ type }) => type === opposite))
    throw new CliError(`certificate signing request "${request.metadata.name}" is already ${opposite}`);
  if (conditions.some(({ type }) => type === verdict) && !force) return undefined;
  const word = verdict === "Approved" ? "approve" : "deny";
  const now = timestamp(clock.now());
  const condition = {
    type: verdict,
    status: "True",
    reason: `Kubectl${verdict === "Approved" ? "Approve" : "Deny"}`,
    message: `This CSR was ${verdict.toLowerCase()} by orrery certificate ${word}.`,
    lastUpdateTime: now,
    lastTransitionTime: now,
  };
  const others = conditions.filter(({ type }) => type !== verdict);
  return { ...request, status: { ...request.status, conditions: [...others, condition] } };
}

const judge = async (names: readonly string[], flags: Flags, verdict: Verdict): Promise<void> => {
  const hasFiles = Boolean(flags.filename?.length);
  if (names.length === 0 && !hasFiles)
    throw new CliError("one or more CSRs must be specified as <name> or -f <filename>");
  const scope = await session(flags);
  const targets = await targetsOf(scope, names, flags, { defaultType: "certificatesigningrequests" });
  const { found, errors } = await fetchTargets(scope.api, targets);
  for (const { resource, object } of found) {
    const body = judged(object as CertificateSigningRequest, verdict, flags.force === true);
    const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${object.metadata.name}/approval`;
    if (body) await scope.api.request({ method: "PUT", path, body });
    printLine(`${display(resource, object.metadata.name)} ${verdict.toLowerCase()}`);
  }
  throwAll(errors);
};

/** Adds `certificate` and its verbs to the program. */
export const register = (program: Command): void => {
  const certificate = program.command("certificate");
  for (const [name, verdict, summary] of [
    ["approve", "Approved", "approve a certificate signing request"],
    ["deny", "Denied", "deny a certificate signing request"],
  ] as const)
    withFiles(certificate.command(`${name} [names...]`))
      .summary(summary)
      .option("--force", "also if it was approved or denied before")
      .action((names: readonly string[], flags: Flags) => judge(names, flags, verdict));
};
