// orrery auth: who the user is, and what the user may do.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { objectPrinter } from "../printers/output.ts";
import { textTable } from "../printers/table.ts";
import { printLine } from "../program/output.ts";
import { addReconcile } from "./auth-reconcile.ts";
import { addCanI } from "./can-i.ts";
import { type ResultFlags, withOutput } from "./result.ts";

type SelfSubjectReview = Readonly<Record<"kind" | "apiVersion", string>> & {
  readonly status: { readonly userInfo: UserInfo };
};
interface UserInfo {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** The error of a server that does not say who its users are. */
function unanswered(error: unknown): unknown {
  const off = "the selfsubjectreviews API is not enabled in the cluster";
  if (hasReason(error, "NotFound")) return new CliError(off);
  return hasReason(error, "Forbidden") ? new CliError(`${off} or you do not have permission to call it`) : error;
}

const whoami = async (flags: ResultFlags): Promise<void> => {
  const print = flags.output || flags.template ? await objectPrinter(flags) : undefined;
  const { api } = await session(flags);
  const sent = api.request<SelfSubjectReview>({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
  });
  const { body } = await sent.catch((error: unknown) => {
    throw unanswered(error);
  });
  const { kind, apiVersion, ...rest } = body;
  // Like other objects of kubectl's own types it begins with its kind.
  if (flags.output === "json") return printLine(JSON.stringify({ kind, apiVersion, ...rest }, null, 4));
  if (print) return void process.stdout.write(print(body));
  const { username, uid, groups = [], extra = {} } = body.status.userInfo;
  const rows = [
    ...(username ? [["Username", username]] : []),
    ...(uid ? [["UID", uid]] : []),
    ...(groups.length > 0 ? [["Groups", `[${groups.join(" ")}]`]] : []),
    ...Object.keys(extra)
      .toSorted()
      .map((key) => [`Extra: ${key}`, `[${extra[key]!.join(" ")}]`]),
  ];
  printLine(textTable(["ATTRIBUTE", "VALUE"], rows));
};

/** Adds `auth` and its subcommands to the program. */
export const register = (program: Command): void => {
  const auth = program.command("auth");
  addCanI(auth);
  withOutput(auth.command("whoami")).summary("print the user and its groups, as the server sees them").action(whoami);
  addReconcile(auth);
};
