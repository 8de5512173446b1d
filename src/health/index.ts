/** What an orchestrator asks: does the process live, may it be sent requests. Endpoints: `/health/live`, `/health/ready`. */
import { healthRoutes, type HealthDeps } from './health-routes.js';

export function healthModule(deps: HealthDeps): { router: ReturnType<typeof healthRoutes> } {
  return { router: healthRoutes(deps) };
}
