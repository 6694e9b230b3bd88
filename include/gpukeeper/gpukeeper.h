#ifndef GPUKEEPER_GPUKEEPER_H_
#define GPUKEEPER_GPUKEEPER_H_

/* The C interface of gpukeeper: what the GPUs of this machine do, and their memory, booked.
 *
 *   gk_keeper* keeper = NULL;
 *   if (gk_open(NULL, &keeper) != GK_OK) return fail(gk_last_error());
 *   gk_reading reading = {.size = sizeof reading};
 *   if (gk_read(keeper, 0, &reading) == GK_OK) printf("%.0f °C\n", reading.temperature_celsius);
 *   gk_close(keeper);
 *
 * A keeper reads the GPUs in this process, on a thread of its own, unless gk_options names a daemon. Memory is booked
 * in one ledger for the whole machine: by the daemon where one runs, else in the state directory, whose lock is held
 * for as long as each call takes.
 *
 * Rules that hold for every function:
 * - C11, or C++. Strings are UTF-8 and end with a zero byte.
 * - What can fail returns a gk_result; gk_last_error() then says in words what was wrong, in the same thread.
 * - What is written through a pointer to a pointer of char belongs to the caller, who gives it to gk_free(). Nothing is
 *   written there when the call fails.
 * - A structure begins with `size`, which the caller sets to its sizeof: members that a newer library knows and the
 *   caller does not are left alone, those that an older library does not know are absent.
 * - Absent is not zero: a number that a GPU does not report is NAN, and a count of bytes GK_ABSENT.
 * - Any thread may call anything with any keeper. gk_close() waits for calls that are under way.
 * - After fork() the child's keepers are the parent's: every call answers GK_FORKED, and gk_close() in the child frees
 *   nothing. Open another there.
 */

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#error "gpukeeper runs on Linux only"
#endif
#define GK_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Grows with every function or member that is added; what is here is never changed. */
#define GK_ABI 1

GK_API uint32_t gk_abi(void);        /* GK_ABI of the library that runs */
GK_API const char* gk_version(void); /* "0.1.0" */

typedef enum gk_result {
  GK_OK = 0,
  GK_INVALID = 1,     /* an argument is wrong */
  GK_NOT_FOUND = 2,   /* no such GPU, lease or host */
  GK_REFUSED = 3,     /* the ledger says no: gk_last_problem() has the numbers */
  GK_EXISTS = 4,      /* the name is taken */
  GK_DENIED = 5,      /* not permitted */
  GK_UNAVAILABLE = 6, /* the GPU, the daemon or the ledger does not answer */
  GK_TIMEOUT = 7,
  GK_FORKED = 8, /* the keeper was opened before fork() */
  GK_FAILED = 9  /* anything else; a mistake of gpukeeper included */
} gk_result;

/* What the latest call of this thread that failed says; never NULL, "" before the first. Valid until its next call. */
GK_API const char* gk_last_error(void);
/* The same as a problem document (RFC 9457), with what the ledger knows of a refusal; "" where there is none. */
GK_API const char* gk_last_problem(void);

/* Takes what a call has written for the caller; NULL is fine. */
GK_API void gk_free(char* text);

/* ---- keepers ---- */

typedef struct gk_keeper gk_keeper;

enum { GK_LEDGER_MACHINE = 0, GK_LEDGER_MEMORY = 1 };

typedef struct gk_options {
  size_t size;
  const char* source; /* as --source: "auto", "simulated:FILE", …; NULL: $GPUKEEPER_SOURCE, else auto */
  /* The daemon whose GPUs are looked at: as --host; NULL: none, this process looks for itself. "local": the one of this
   * machine, an error where none runs. */
  const char* host;
  const char* config;    /* a file; NULL: the usual one, which need not be there */
  const char* state_dir; /* of the ledger; NULL: the usual one */
  int32_t ledger;        /* GK_LEDGER_MACHINE, or GK_LEDGER_MEMORY: one of this keeper's own, kept nowhere */
  int32_t monitoring;    /* not 0: look at the GPUs all the time from now on; 0: only when asked (gk_monitor) */
} gk_options;

/* `options` may be NULL. Without a GPU or a driver it succeeds, with no devices. */
GK_API gk_result gk_open(const gk_options* options, gk_keeper** keeper);
GK_API void gk_close(gk_keeper* keeper); /* NULL is fine; not from a callback of this keeper */

/* "" for one that looks for itself, else the host. Valid as long as the keeper. */
GK_API const char* gk_host(gk_keeper* keeper);

/* ---- what the GPUs do ---- */

typedef enum gk_state {
  GK_OPTIMAL = 0,
  GK_NORMAL = 1,
  GK_THROTTLED = 2,
  GK_CRITICAL = 3,
  GK_STATE_UNAVAILABLE = 4
} gk_state;

#define GK_ABSENT UINT64_MAX

typedef struct gk_reading {
  size_t size;
  uint32_t index;
  int32_t available; /* 0: lost, asleep or silent; the numbers below are then absent */
  int32_t state;     /* gk_state, as the governor has it */
  int32_t simulated; /* made up, or played from a recording */
  double read_at;    /* seconds since 1970 */
  double utilization_percent;
  double memory_busy_percent; /* the memory controller's, not how full it is */
  uint64_t memory_used_bytes;
  uint64_t memory_total_bytes;
  double memory_percent; /* how full it is */
  double temperature_celsius;
  double power_watts;
  double power_limit_watts;
  double fan_percent;
  double clock_graphics_mhz;
  double clock_memory_mhz;
  double pcie_tx_bytes_per_second; /* sent by the GPU */
  double pcie_rx_bytes_per_second;
  char uuid[96]; /* cut where it is longer */
  char name[128];
  char driver[64]; /* its version; "" where it is not known */
} gk_reading;

/* How many there are now; 0 also for a keeper that cannot say. */
GK_API uint32_t gk_device_count(gk_keeper* keeper);

/* A reading no older than 100 ms: the GPU is asked where there is none. Of a daemon: its latest.
 * GK_NOT_FOUND: there is no such index. GK_UNAVAILABLE: not even whether there is one is known. */
GK_API gk_result gk_read(gk_keeper* keeper, uint32_t index, gk_reading* reading);
/* The latest that is known, at once and without a look. */
GK_API gk_result gk_latest(gk_keeper* keeper, uint32_t index, gk_reading* reading);

/* How fast work may go. */
typedef struct gk_throttling {
  size_t size;
  int32_t state; /* gk_state */
  int32_t is_throttled;
  int32_t should_throttle;
  double speed_multiplier; /* 1, 0.8, 0.5, 0 */
} gk_throttling;

enum { GK_ALL_DEVICES = -1 };
/* Of one GPU, or of all as one job on them has to take it. Without a GPU nothing throttles. */
GK_API gk_result gk_throttle(gk_keeper* keeper, int32_t index, gk_throttling* throttling);

/* Which state these readings would be, by the configured thresholds; NAN for what is not known. */
GK_API gk_result gk_judge(gk_keeper* keeper, double temperature_celsius, double memory_percent, int32_t* state);

/* Turns looking all the time on or off, and says whether it is on. Of a daemon it takes an operator. */
GK_API gk_result gk_monitor(gk_keeper* keeper, int32_t on);
GK_API int32_t gk_is_monitoring(gk_keeper* keeper);

/* ---- everything else, as documents ---- */

/* Asks what docs/api.md has under /api/v1/ and, of the documented GPU manager, under /api/gpu/: `method` "GET",
 * `target` "/api/v1/snapshot", `body` JSON or NULL. A keeper that looks for itself answers by the same code as a
 * daemon. `answer` gets the document; the results are those of its status: 400 GK_INVALID, 401 and 403 GK_DENIED, 404
 * GK_NOT_FOUND, 409 GK_EXISTS or GK_REFUSED by its code, 503 GK_UNAVAILABLE. */
GK_API gk_result gk_ask(gk_keeper* keeper, const char* method, const char* target, const char* body, char** answer);

/* The metrics as Prometheus reads them; `families` as ?family=, NULL for all. */
GK_API gk_result gk_metrics(gk_keeper* keeper, const char* families, char** text);
/* Serves them, /health and /ready at "127.0.0.1:9090" until gk_close(); port 0 takes any. `port` may be NULL. */
GK_API gk_result gk_serve_metrics(gk_keeper* keeper, const char* address, uint16_t* port);

/* Changes the configuration of this keeper by a JSON merge patch, and says it whole. All or nothing. */
GK_API gk_result gk_configure(gk_keeper* keeper, const char* patch);
GK_API gk_result gk_configuration(gk_keeper* keeper, char** json);

/* ---- memory, booked ---- */

typedef struct gk_request {
  size_t size;
  const char* service; /* whose it is; NULL: "default" */
  const char* name;    /* the client's own name for it, unique on a device; NULL: none */
  uint64_t bytes;      /* guaranteed */
  uint64_t max_bytes;  /* with bursts; 0: as guaranteed */
  int32_t device;      /* GK_ALL_DEVICES: where it fits best */
  int32_t require;     /* not 0: that device or none */
  int32_t exclusive;
  int32_t priority;
  int32_t standing;          /* not 0: it outlives this process; else it ends with it */
  int32_t documented;        /* not 0: a lease of the documented GPU manager, under its limits too (memory_limit_mb) */
  double ttl_seconds;        /* it ends unless renewed in time; 0: none */
  double wait_seconds;       /* in the queue, if there is no room; 0: not at all */
  const char* request_id;    /* the same twice gets the same lease; NULL: none */
  const char* metadata_json; /* an object of strings; NULL: none */
} gk_request;

typedef struct gk_lease {
  size_t size;
  uint64_t id; /* of this ledger, never used again */
  uint64_t bytes;
  uint64_t fence; /* grows with every lease: who has a greater one came later */
  int32_t device;
  int32_t fell_back; /* not the device that was preferred */
} gk_lease;

/* `json` gets the lease as /api/v1/leases gives it; NULL where that is not wanted.
 * GK_REFUSED: there is no room, or the quota says no. GK_EXISTS: the name is taken on that device. GK_TIMEOUT: nor came
 * room in time. A call that waits is ended by gk_close() with GK_UNAVAILABLE. */
GK_API gk_result gk_allocate(gk_keeper* keeper, const gk_request* request, gk_lease* lease, char** json);
/* GK_NOT_FOUND where it was never given. Released twice is released. */
GK_API gk_result gk_release(gk_keeper* keeper, uint64_t lease);
/* By the client's name on a device. */
GK_API gk_result gk_release_named(gk_keeper* keeper, const char* name, int32_t device);
GK_API gk_result gk_renew(gk_keeper* keeper, uint64_t lease);
GK_API gk_result gk_resize(gk_keeper* keeper, uint64_t lease, uint64_t bytes);
/* How much could be booked on a device now. */
GK_API gk_result gk_available(gk_keeper* keeper, uint32_t index, uint64_t* bytes);

/* ---- what happens ---- */

typedef struct gk_event {
  size_t size;
  uint64_t sequence;
  const char* type; /* "state_change", "throttle", "critical", "alert.fired", … (docs/embedding.md) */
  int32_t device;   /* its index; GK_ALL_DEVICES where it is of none */
  const char* json; /* all of it */
} gk_event;

/* Called on a thread of the keeper's, one event after another; it may call everything but gk_close() of this keeper,
 * unsubscribe itself too. What it is slow to take is dropped, and the next event says so ("skipped"). The event is
 * valid during the call. */
typedef void (*gk_listener)(const gk_event* event, void* user);

/* `types`: which, with commas between; NULL for all. */
GK_API gk_result gk_subscribe(gk_keeper* keeper, const char* types, gk_listener listener, void* user,
                              uint64_t* subscription);
/* After it, unless it is called by the listener itself, the listener is not running and never called again. */
GK_API gk_result gk_unsubscribe(gk_keeper* keeper, uint64_t subscription);

#ifdef __cplusplus
}
#endif

#endif /* GPUKEEPER_GPUKEEPER_H_ */
