import { captureSecret } from "./lib/operator-mark";

// Runs before the router reads the address, so the router never knows the secret.
captureSecret();
