// Which certificate authorities a connection trusts: those of the kubeconfig, or without any the system's, as kubectl.
import type { SecureContext } from "node:tls";
import { CliError } from "../cli-error.ts";

// An import statement would load TLS with the program, also for commands that send nothing.
const tls = () => process.getBuiltinModule("node:tls");

const withEnvironment = <T>(values: Readonly<Record<string, string>>, action: () => T): T => {
  const before = Object.keys(values).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, values);
  try {
    return action();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
};

/**
 * Node.js reads its default authorities before it takes the first of its own: 15 ms for about 150 certificates. With
 * `--use-openssl-ca`, which the launcher passes, it reads those that these variables name: none.
 */
const noDefaults = { SSL_CERT_FILE: "/dev/null", SSL_CERT_DIR: "/dev/null" };

/** PEM texts; undefined and empty ones are not there. */
interface Certificates {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** The server's certificate is not verified. */
  readonly insecure?: boolean | undefined;
}

/** The TLS context of connections with these certificates. Throws CliError when one cannot be read. */
export function secureContext({ ca, cert, key, insecure }: Certificates): SecureContext {
  const authorities = ca || (insecure ? [] : tls().getCACertificates("system"));
  const pair = { ...(cert && { cert }), ...(key && { key }) };
  try {
    return withEnvironment(noDefaults, () => tls().createSecureContext({ ca: authorities, ...pair }));
  } catch (error) {
    throw new CliError(
      `the certificates of the kubeconfig cannot be used: ${(error as Error).message}`,
      "Look at them with: orrery config view --raw",
    );
  }
}

/** Makes requests of `fetch` trust the system's authorities, too. */
export const trustSystem = (): void => tls().setDefaultCACertificates(tls().getCACertificates("system"));
