#pragma once

namespace gpukeeper::bench {

/// What the web page costs a browser: web/e2e/figures.ts, in Chromium, over the program that was built.
void web();

}  // namespace gpukeeper::bench
