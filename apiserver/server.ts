// Composes the API server: storage, registry, authentication, authorization, admission, handlers, and the listener.
import { onAbort } from "../machinery/abort.ts";
import type { Client } from "../machinery/client.ts";
import type { Explanations } from "../machinery/explanations.ts";
import type { KindRegistry } from "../machinery/kind-registry.ts";
import type { World } from "../machinery/world.ts";
import type { AdmissionConfig } from "./admission/plugins.ts";
import type { AddressRanges } from "./admission/services.ts";
import {
  type Authorizer,
  type FollowingAuthorizer,
  authenticatedUsers,
  firstAllowing,
  groupsAllowed,
  privilegedGroup,
  type RequestAttributes,
  type User,
} from "./authorization/authorizer.ts";
import { componentUser, controllerUser } from "./authentication/components.ts";
import { nodeAuthorizer } from "./authorization/node/authorizer.ts";
import { type AuditOptions, recording } from "./audit/recording.ts";
import { rbacAuthorizer } from "./authorization/rbac/authorizer.ts";
import { bootstrap, bootstrapObjects, keepOwnService, keepApiServices } from "./bootstrap/objects.ts";
import { bootstrapAccess } from "./bootstrap/access.ts";
import { apiServerPeers } from "./bootstrap/peers.ts";
import { authentication } from "./authentication/authenticators.ts";
import { configuredAuthentication } from "./authentication/oidc/authenticator.ts";
import type { AuthenticationOptions } from "./authentication/oidc/configuration.ts";
import { clusterRegistry } from "./cluster-registry.ts";
import { withComponents } from "./components.ts";
import { compileRules } from "./customresources/rules.ts";
import { serveCustomResources } from "./customresources/serving.ts";
import { type Handlers, requestHandler } from "./http/handler.ts";
import { serverChecks } from "./http/health.ts";
import { type ConnectionTimeouts, type ServerTls, listen } from "./http/listen.ts";
import { measuredKinds } from "./verbs/reads.ts";
import { countObjects, requestMetrics, timedStorage } from "./metrics/metrics.ts";
import { podLogs, sessionWithoutUpgrade } from "./streaming/pods.ts";
import { upgrades } from "./http/upgrades.ts";
import { snapshotsApi } from "./snapshots/api.ts";
import { type TracingOptions, tracesApi } from "./verbs/traces.ts";
import { explanationsApi } from "./explain/endpoint.ts";
import { metricApis } from "./verbs/metric-values.ts";
import { reviewer, reviews } from "./verbs/reviews.ts";
import { type Kubelets, type KubeletTls, kubelets, textOf } from "./kubelets/kubelets.ts";
import { programMetrics } from "./kubelets/program-metrics.ts";
import { metrics } from "./kubelets/usage.ts";
import { historyApi } from "./history/history-api.ts";
import type { HistoryLimits } from "./history/limits.ts";
import { requestsToLeaders, type ToLeader } from "./proxy/leader.ts";
import { proxies } from "./proxy/proxy.ts";
import type { InProcessIdentity } from "./registry/authorized-client.ts";
import { inProcessClient } from "./registry/in-process.ts";
import type { Extension } from "./request/request-response.ts";
import type { Registry } from "./registry/verbs.ts";
import type { Storage } from "./storage/storage.ts";
import { type TokenOptions, openId } from "./authentication/tokens.ts";
import { tokenIssuer, tokenRequest } from "./verbs/token-requests.ts";
import { compactHistory, expireEvents } from "./maintenance.ts";

/** What a server needs to know of the cluster it serves. */
export interface ServerOptions {
  readonly storage: Storage;
  readonly world: World;
  /** The kinds it serves, which may change while it runs. */
  readonly kinds: KindRegistry;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly tls: ServerTls;
  readonly serviceCidr: string;
  /** The address pods and nodes reach this server at. */
  readonly advertise: string;
  /**
   * `RBAC`, the default, decides by roles and bindings, and about kubelets by their pods; `AlwaysAllow` allows every
   * authenticated user everything.
   */
  readonly authorizationMode?: AuthorizationMode;
  /** What admission fills in, and its further plugins; Kubernetes' own values when left out. */
  readonly admission?: Partial<Omit<AdmissionConfig, keyof AddressRanges>>;
  /** Which events of requests are recorded, and where; none when left out. */
  readonly audit?: AuditOptions;
  /** The client certificate for requests to kubelets. */
  readonly kubeletClient: KubeletTls;
  /** The issuer and the key of service account tokens. */
  readonly tokens: TokenOptions;
  /** Providers of tokens outside the cluster, and who is anonymous. */
  readonly authentication?: AuthenticationOptions;
  /** The metrics of other components of this process, as Prometheus text; served beside the server's own. */
  readonly componentMetrics?: () => Promise<string>;
  /** Where spans go that programs on nodes send; the server's own go where the tracer of its world sends them. */
  readonly tracing?: TracingOptions;
  /** What components of this process explain. */
  readonly explanations?: Explanations;
  /** Whether other API servers share the storage. */
  readonly isReplicated?: boolean;
  /** How much of the past is kept. */
  readonly history?: HistoryLimits;
  /** Limits for idle clients; Kubernetes' own when left out. */
  readonly timeouts?: ConnectionTimeouts;
}

export type AuthorizationMode = "RBAC" | "AlwaysAllow";

/** An API server with clients in its process, and a listener. */
export interface ApiServer {
  /**
   * A client for a component in this process, such as `kube-scheduler`: it writes in that name, and may do what the
   * user of that name may do.
   */
  as(component: string): Client;
  /** The server's own client, which may do everything. */
  readonly loopback: Client;
  /** A document of the kubelet of a node, such as its metrics. */
  readonly readNode: (node: string, path: string, signal: AbortSignal) => Promise<string>;
  /** Sends a request to the control plane that holds a lease. */
  readonly toLeader: ToLeader;
  /** Whether a user may do something. */
  readonly allows: (attributes: RequestAttributes) => Promise<boolean>;
  /**
   * Resolves when the server listens; `closed` settles after the signal is aborted and the last request has ended.
   * `further` serve paths beside the server's own.
   */
  listen(
    signal: AbortSignal,
    further?: readonly Extension[],
  ): Promise<{ readonly port: number; readonly closed: Promise<void> }>;
}

const identityOf = (user: User, authorizer: Authorizer): InProcessIdentity => ({
  ...{ user, authorizer },
  asController: (account) => identityOf(controllerUser(account), authorizer),
});

/** What leads through kubelets to pods, services and nodes. */
const sessionHandlers = (nodes: Kubelets): Handlers => ({
  log: podLogs(nodes),
  exec: sessionWithoutUpgrade,
  attach: sessionWithoutUpgrade,
  portforward: sessionWithoutUpgrade,
  proxy: proxies(nodes),
});

/** What extensions of other folders need. */
const accessFor = (
  verbs: Registry,
  nodes: Kubelets,
  authorizer: Authorizer,
): Pick<ApiServer, "readNode" | "allows" | "toLeader"> => ({
  toLeader: requestsToLeaders(verbs, nodes.tls),
  readNode: async (node, path, signal) => textOf(await nodes.get(node, path, `nodes ${node}`, signal)),
  allows: async (attributes) => (await authorizer.decide(attributes)).allowed,
});

const nodePorts = { from: 30_000, to: 32_767 };

/** The authorizer of a mode, and those in it that follow objects of the cluster. */
function authorizersOf(mode: AuthorizationMode): {
  readonly authorizer: Authorizer;
  readonly following: readonly FollowingAuthorizer[];
} {
  if (mode === "AlwaysAllow") return { authorizer: authenticatedUsers, following: [] };
  const following = [nodeAuthorizer(), rbacAuthorizer()];
  return { authorizer: firstAllowing(groupsAllowed(privilegedGroup), ...following), following };
}

/** Reads what the server decides by, and what it serves, before its first request; changes follow. */
async function readCluster(
  { client, kinds, world }: Pick<ServerOptions, "kinds" | "world"> & { readonly client: Client },
  following: readonly FollowingAuthorizer[],
  signal: AbortSignal,
): Promise<void> {
  // Components have their rights from the beginning.
  await bootstrapAccess(client);
  await Promise.all(following.map(({ follow }) => follow(client, world, signal)));
  await serveCustomResources({ client, kinds, world, compile: compileRules }, signal);
}

/** Composes the server; nothing runs before `listen`. */
export function apiServer(options: ServerOptions): ApiServer {
  const { world, kinds, host, port, tls, serviceCidr, advertise, authorizationMode = "RBAC" } = options;
  const { authorizer, following } = authorizersOf(authorizationMode);
  const requests = requestMetrics(kinds, options.componentMetrics);
  const storage = timedStorage(options.storage, world.clock, requests.registry);
  countObjects(options.storage, kinds, requests.registry);
  const verbs = clusterRegistry(storage, world, { kinds, authorizer, serviceCidr, nodePorts, ...options.admission });
  const nodes = kubelets(verbs, options.kubeletClient);
  const further = options.authentication && configuredAuthentication(options.authentication, world);
  const { tokens, identify } = authentication(verbs, options.tokens, further);
  const [measured, ofPrograms] = [withComponents(metrics(verbs, nodes)), programMetrics(verbs, nodes)];
  const review = reviewer({ tokens, authorizer }, world);
  const served = { measured, metricValues: ofPrograms.values, issue: tokenIssuer(verbs, tokens), review };
  const client = inProcessClient(verbs, { ...served, manager: "kube-apiserver" });
  const explained = explanationsApi({ registry: verbs, authorizer, kubelets: nodes }, options.explanations);
  return {
    loopback: client,
    as: (manager) =>
      inProcessClient(verbs, { ...served, manager, identity: identityOf(componentUser(manager), authorizer) }),
    ...accessFor(verbs, nodes, authorizer),
    async listen(signal, further = []) {
      const handlers = {
        ...sessionHandlers(nodes),
        ...{ token: tokenRequest(tokens), measured: measuredKinds(measured), review: reviews({ tokens, authorizer }) },
      };
      const extensions = [
        requests.serve,
        explained.serve,
        tracesApi(verbs, options.tracing, authorizer),
        snapshotsApi(options.storage, world, () => bootstrapAccess(client).then(initialize)),
        historyApi({ registry: verbs, storage, authorizer, limits: options.history }),
        metricApis(ofPrograms, world.clock),
        openId(tokens, () => `${advertise}:${listening.port}`),
        ...further,
      ];
      await readCluster({ client, kinds, world }, following, signal);
      let isBootstrapped = false;
      const checks = serverChecks(storage, signal, () => isBootstrapped);
      const handle = requestHandler(verbs, kinds, { handlers, extensions, checks, metricNames: ofPrograms.names });
      const audit = recording(options.audit, world);
      const listening = await listen(
        { host, port, tls, ...(options.timeouts && { timeouts: options.timeouts }) },
        world,
        { identify, authorizer, handle, upgrade: upgrades(verbs, nodes, handle), requestMetrics: requests, ...audit },
        signal,
      );
      onAbort(signal, nodes.close);
      const advertised = { address: advertise, port: listening.port, serviceCidr };
      const peers = options.isReplicated ? apiServerPeers(client, advertised, world) : undefined;
      const initialize = async (): Promise<void> => {
        await bootstrap(client, advertised, peers?.reconcile);
        await bootstrapObjects(client, kinds.all(), advertised, world.clock.now());
      };
      await initialize();
      isBootstrapped = true;
      const maintenance = [
        listening.closed.then(audit.close),
        compactHistory(storage, options.history, world, signal),
        expireEvents(client, world, signal),
        explained.follow(client, world, signal),
        peers ? peers.keep(signal) : keepOwnService(client, advertised, world, signal),
        keepApiServices(client, kinds, world, signal),
      ];
      return { port: listening.port, closed: Promise.all(maintenance).then(() => {}) };
    },
  };
}
