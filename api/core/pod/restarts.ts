// Whether a container that has ended may begin again.
import type { Container, PodSpec } from "../../generated/types.ts";

/** Rules of the container's own come first, then its policy, then the pod's. Source: KEP-5307. */
export function startsAgain(
  { restartPolicy, restartPolicyRules: rules = [] }: Container,
  spec: PodSpec,
  code: number,
): boolean {
  const rule = rules.find(({ exitCodes }) => {
    const isListed = exitCodes?.values?.includes(code) === true;
    return exitCodes?.operator === (isListed ? "In" : "NotIn");
  });
  if (restartPolicy && rule?.action === "Restart") return true;
  const policy = restartPolicy || spec.restartPolicy;
  return policy === "OnFailure" ? code !== 0 : policy !== "Never";
}
