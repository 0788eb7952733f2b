// orrery token: makes, lists and deletes bootstrap tokens, by which machines join a cluster.
import { X509Certificate, randomInt } from "node:crypto";
import type { Command } from "commander";
import {
  type BootstrapToken,
  parseBootstrapToken,
  tokenNamespace,
  tokenSecretName,
} from "../../api/core/bootstrap-tokens.ts";
import type { Secret } from "../../api/generated/types.ts";
import { joiningGroup } from "../../api/core/bootstrap-tokens.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { session } from "../client/session.ts";
import { tokenHeader, tokenRows, tokenSecret } from "../generators/bootstrap-tokens.ts";
import { keyHash, clusterIn, tokenOf } from "../join/discovery.ts";
import { textTable } from "../printers/table.ts";
import { duration, list } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { clock } from "./cluster-option.ts";

interface CreateFlags extends GlobalFlags {
  readonly ttl: number;
  readonly usages: readonly string[];
  readonly groups: readonly string[];
  readonly description: string;
  readonly printJoinCommand?: boolean;
}

const path = `/api/v1/namespaces/${tokenNamespace}/secrets`;
const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
const randomText = (length: number): string =>
  Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
const randomToken = (): BootstrapToken => ({ id: randomText(6), secret: randomText(16) });

/** The command by which a machine joins, with the address and the authority that the cluster publishes. */
async function joinCommand(api: Connection, { id, secret }: BootstrapToken): Promise<string> {
  const { data = {} } = await api.get<{ readonly data?: Readonly<Record<string, string>> }>(
    "/api/v1/namespaces/kube-public/configmaps/cluster-info",
  );
  const { server, ca } = clusterIn(data["kubeconfig"] ?? "");
  const hash = keyHash(new X509Certificate(ca));
  return `orrery join ${server} --token ${id}.${secret} --discovery-token-ca-cert-hash ${hash}`;
}

async function create(text: string | undefined, flags: CreateFlags): Promise<void> {
  const token = text === undefined ? randomToken() : tokenOf(text);
  const body = tokenSecret(token, { ...flags, ttlMs: flags.ttl }, clock.now());
  const { api } = await session(flags);
  await api.request({ method: "POST", path, body: { apiVersion: "v1", ...body } });
  printLine(flags.printJoinCommand ? await joinCommand(api, token) : `${token.id}.${token.secret}`);
}

async function show(flags: GlobalFlags): Promise<void> {
  const { api } = await session(flags);
  const rows = tokenRows(
    await api.list<Secret>(`${path}?fieldSelector=type%3Dbootstrap.kubernetes.io%2Ftoken`),
    clock.now(),
  );
  if (rows.length > 0) printLine(textTable(tokenHeader, rows));
}

async function remove(texts: readonly string[], flags: GlobalFlags): Promise<void> {
  const { api } = await session(flags);
  for (const text of texts) {
    const id = parseBootstrapToken(text)?.id ?? text;
    if (!/^[a-z0-9]{6}$/.test(id))
      throw new CliError(
        `"${text}" is neither a bootstrap token nor the id of one`,
        "An id has six letters or digits.",
      );
    await api.request({ method: "DELETE", path: `${path}/${tokenSecretName(id)}` });
    printLine(`bootstrap token "${id}" deleted`);
  }
}

/** Adds `token` and its verbs to the program. */
export const register = (program: Command): void => {
  const token = program.command("token");
  token
    .command("create [token]")
    .summary("make a token by which a machine can join, and print it")
    .option("--ttl <duration>", "how long it is valid, such as 24h; 0 for ever", duration, 24 * 3_600_000)
    .option("--usages <list>", "what it is for: signing, authentication", list, ["signing", "authentication"])
    .option("--groups <list>", "the groups of its holders, beside system:bootstrappers", list, [joiningGroup])
    .option("--description <text>", "a note for people", "")
    .option("--print-join-command", "print the whole command for the machine that is to join")
    .action(create);
  token.command("list").summary("list the tokens").action(show);
  token.command("delete <tokens...>").summary("delete tokens, named in full or by id").action(remove);
};
