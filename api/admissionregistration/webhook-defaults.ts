// What a webhook configuration means where it is silent.
import type {
  AdmissionregistrationV1WebhookClientConfig,
  MutatingWebhook,
  ValidatingWebhook,
} from "../generated/types.ts";
import { anyScope, everywhere } from "./match-rules.ts";

interface Calling {
  readonly service?: { readonly port?: number };
}

/** HTTPS, where the port of a service is not said. */
export const overHttps = <C extends Calling>(config: C): C =>
  config?.service ? { ...config, service: { ...config.service, port: config.service.port ?? 443 } } : config;

/** The webhook, with what it leaves out filled in. */
export const webhookDefaults = <W extends ValidatingWebhook | MutatingWebhook>(hook: W): W => ({
  ...everywhere(hook),
  clientConfig: overHttps<AdmissionregistrationV1WebhookClientConfig>(hook.clientConfig),
  failurePolicy: hook.failurePolicy ?? "Fail",
  timeoutSeconds: hook.timeoutSeconds ?? 10,
  ...(hook.rules && { rules: anyScope(hook.rules) }),
});
