// The kubelet process's own figures, in the text Prometheus reads; kept from the first time somebody asks.
import { collectDefaultMetrics, Registry } from "prom-client";

export const ownFigures = new Registry();
collectDefaultMetrics({ register: ownFigures });
