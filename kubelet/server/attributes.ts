// Which rights a request to the kubelet needs: one of several subresources of its node. Pure. Source: the page "Kubelet
// authentication/authorization" of the Kubernetes documentation; KEP-2862 for the finer ones.

/** A right on the node: a verb on one of these subresources, of which the first is the one that messages name. */
export interface NodeRight {
  readonly verb: string;
  readonly subresources: readonly string[];
}

/** A method without a verb needs a right for everything. */
const verbs: Readonly<Record<string, string>> = {
  ...{ POST: "create", GET: "get", PUT: "update", PATCH: "patch", DELETE: "delete" },
};

const isBelow = (path: string, top: string): boolean => path === top || path.startsWith(`${top}/`);

const byPath: readonly (readonly [top: string, subresources: readonly string[]])[] = [
  ["/pods", ["pods", "proxy"]],
  ["/healthz", ["healthz", "proxy"]],
  ["/configz", ["configz", "proxy"]],
  ["/runningpods", ["pods", "proxy"]],
  ["/stats", ["stats"]],
  ["/metrics", ["metrics"]],
  ["/logs", ["log"]],
  ["/checkpoint", ["checkpoint"]],
  ["/statusz", ["statusz"]],
  ["/flagz", ["configz"]],
];

/** The right for a request; `path` is decoded. */
export const rightFor = (method: string, path: string): NodeRight => ({
  verb: verbs[method] ?? "",
  subresources: byPath.find(([top]) => isBelow(path, top))?.[1] ?? ["proxy"],
});
