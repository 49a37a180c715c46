package io.vmm4j.cli;

import io.vmm4j.api.Console;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmException;
import io.vmm4j.api.backend.CpuStateText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * What a machine was about when its time was over: its vCPUs, and the last lines of its consoles.
 */
final class WhereItStands {
  /** How long it is waited for: a device that does not return holds the machine up. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private static final int LAST_LINES = 5;
  private static final int LAST_BYTES = 2000;

  private WhereItStands() {}

  /** The lines of a report. Pauses the machine. */
  static List<String> of(Vm vm) {
    CompletableFuture<List<String>> report = new CompletableFuture<>();
    Thread.ofVirtual()
        .name("vmm-report")
        .start(() -> {
          try {
            report.complete(report(vm));
          } catch (Throwable e) {
            report.completeExceptionally(e);
          }
        });
    try {
      return report.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return List.of("the machine can't be paused, so where its vCPUs are is not known");
    } catch (ExecutionException e) {
      return List.of("where its vCPUs are is not known: " + e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return List.of();
    }
  }

  private static List<String> report(Vm vm) {
    vm.pause();
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < vm.spec().cpus(); i++) {
      CpuStateText.full(i, vm.cpuState(i)).lines().forEach(lines::add);
    }
    if (vm.metrics().counters().getOrDefault("deadGuests", 0L) > 0) {
      lines.add("every vCPU has halted with interrupts disabled (see --end-when-dead)");
    }
    for (String path : vm.spec().devices().keySet()) {
      console(vm, path, lines);
    }
    return lines;
  }

  private static void console(Vm vm, String path, List<String> lines) {
    Console console;
    try {
      console = vm.console(path);
    } catch (VmException | IllegalArgumentException e) {
      return; // a device without one
    }
    String text = console.transcript();
    List<String> last =
        text.substring(Math.max(0, text.length() - LAST_BYTES))
            .lines()
            .filter(line -> !line.isBlank())
            .toList();
    if (!last.isEmpty()) {
      lines.add("last lines of " + path + ":");
      last.subList(Math.max(0, last.size() - LAST_LINES), last.size())
          .forEach(line -> lines.add("  | " + line));
    }
  }
}
