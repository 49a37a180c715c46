package io.vmm4j.cli;

import io.vmm4j.api.Backends;

/** Says what can run here. */
@picocli.CommandLine.Command(
    name = "backends",
    header = "List the backends, and why each can or can't run here.",
    description = "%nThe first that is usable is what --backend auto takes.%n")
final class BackendsCommand extends Command {
  @Override
  public Integer call() throws Exception {
    StringBuilder text = new StringBuilder();
    Backends.probeAll()
        .forEach((name, probe) ->
            text.append(
                "%-10s %-8s %s%n"
                    .formatted(name, probe.usable() ? "usable" : "no", probe.detail())));
    streams().print(text.toString());
    return ExitCode.OK;
  }
}
