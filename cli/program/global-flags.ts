// The flags that every command about a Kubernetes cluster accepts.
import { Option } from "commander";
import { boolean, integer, list, strings } from "./flag-values.ts";

/** Environment variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The values of the global flags, as actions of commands receive them. */
export interface GlobalFlags {
  readonly environment: Environment;
  /** `--name`: a cluster of Orrery. */
  readonly clusterName?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
  readonly server?: string;
  readonly token?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
  readonly asUid?: string;
  readonly asUserExtra?: readonly string[];
  readonly requestTimeout?: string;
  readonly insecureSkipTlsVerify?: boolean;
  readonly certificateAuthority?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly tlsServerName?: string;
  readonly cacheDir?: string;
  readonly matchServerVersion?: boolean;
  readonly warningsAsErrors?: boolean;
  readonly v?: number;
  readonly quiet?: boolean;
  /** The number of arguments before `--`; undefined without one. */
  readonly argsBeforeDash?: number;
}

/** An option under another attribute, when its name is both that of a global flag and of one of a command. */
export class RenamedOption extends Option {
  readonly #attribute: string;
  constructor(flags: string, description: string, attribute: string) {
    super(flags, description);
    this.#attribute = attribute;
  }
  override attributeName(): string {
    return this.#attribute;
  }
}

type Parser = (text: string, previous: never) => unknown;
const rows: readonly (readonly [flags: string, description: string, parser?: Parser])[] = [
  ["-n, --namespace <namespace>", "the namespace of the request; by default that of the context"],
  ["--context <name>", "the context of the kubeconfig to use"],
  ["--kubeconfig <file>", "the kubeconfig to use; otherwise KUBECONFIG, or ~/.kube/config"],
  ["--cluster <name>", "the cluster of the kubeconfig to use"],
  ["--user <name>", "the user of the kubeconfig to use"],
  ["-s, --server <url>", "the address of the API server"],
  ["--token <token>", "a bearer token"],
  ["--username <name>", "a user name for basic authentication"],
  ["--password <password>", "a password for basic authentication"],
  ["--as <user>", "the user to impersonate"],
  ["--as-group <group>", "a group to impersonate; may be repeated", strings],
  ["--as-uid <uid>", "the uid to impersonate"],
  ["--as-user-extra <key=value>", "an extra value of the impersonated user; may be repeated", strings],
  ["--certificate-authority <file>", "the certificate of the authority that signed the server's"],
  ["--client-certificate <file>", "a client certificate"],
  ["--client-key <file>", "the key of the client certificate"],
  ["--insecure-skip-tls-verify", "do not check the server's certificate: the connection is insecure"],
  ["--tls-server-name <name>", "the name that the server's certificate must have"],
  ["--request-timeout <time>", "how long to wait for a single request, such as 30s; 0 waits forever"],
  ["--cache-dir <dir>", "where discovery is cached; by default ~/.kube/cache"],
  ["--match-server-version", "refuse a server of another version"],
  ["--warnings-as-errors", "exit with 1 after a warning of the server"],
  ["--quiet", "print no progress and no warnings"],
  [
    "-v, --v <level>",
    "print requests from level 6 on, with headers from 7, bodies from 8, and as curl commands from 9",
    integer,
  ],
];
/** Accepted for scripts that pass them to kubectl, and without effect. */
const ignored: readonly (readonly [flags: string, parser?: Parser])[] = [
  ["--disable-compression", boolean],
  ["--kuberc <file>"],
  ["--log-flush-frequency <time>"],
  ["--profile <name>"],
  ["--profile-output <file>"],
  ["--vmodule <patterns>", list],
];

const option = (flags: string, description: string, parser?: Parser): Option => {
  const made = new Option(flags, description);
  return parser && (made.required || made.optional) ? made.argParser(parser as (text: string) => unknown) : made;
};

/** The global flags. `orrery options` lists those that are not hidden. */
export const globalOptions: readonly Option[] = [
  new RenamedOption("--name <cluster>", "a cluster of Orrery on this machine", "clusterName"),
  ...rows.map(([flags, description, parser]) => option(flags, description, parser)),
  ...ignored.map(([flags, parser]) => option(flags, "", parser).hideHelp()),
];
