#include <gpukeeper/gpukeeper.h>
#include <stdio.h>

int main(void) {
  gk_keeper* keeper = NULL;
  if (gk_open(NULL, &keeper) != GK_OK) {
    fprintf(stderr, "%s\n", gk_last_error());
    return 1;
  }
  printf("gpukeeper %s: %u GPUs\n", gk_version(), gk_device_count(keeper));
  gk_close(keeper);
  return 0;
}
