package io.vmm4j.cli;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.Backends;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options of every command that runs a machine. */
final class MachineOptions {
  @Option(
      names = "--backend",
      paramLabel = "auto|software|kvm",
      converter = Choice.class,
      description =
          "What runs the guest: the processor in pure Java, or KVM; auto takes KVM where it can be"
              + " used (default: auto).")
  BackendChoice backend = Backends.auto();

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = Time.class,
      description = "End the machine after this time, such as 500ms, 60s, 5m, with exit code 8.")
  @Nullable Duration timeout;

  @Option(
      names = "--control",
      paramLabel = "SOCKET",
      description =
          "Open a UNIX-domain socket there, through which ./vmm ctl, as the same user, controls the"
              + " machine.")
  @Nullable Path control;

  /**
   * Makes sure that the chosen backend is one that this build has.
   *
   * @throws BackendUnavailableException if it is not
   */
  void check() {
    check(backend);
  }

  /**
   * Makes sure that a backend is one that this build has.
   *
   * @throws BackendUnavailableException if it is not
   */
  static void check(BackendChoice backend) {
    Map<String, ?> present = Backends.probeAll();
    if (!backend.name().equals(BackendChoice.AUTO) && !present.containsKey(backend.name())) {
      throw new BackendUnavailableException(
          backend.name(), "this build has only " + String.join(", ", present.keySet()));
    }
  }

  /** Reads a choice of backend. */
  static final class Choice implements ITypeConverter<BackendChoice> {
    @Override
    public BackendChoice convert(String text) {
      return switch (text) {
        case "auto" -> Backends.auto();
        case "software" -> Backends.software();
        case "kvm" -> Backends.kvm();
        default ->
            throw new TypeConversionException("'" + text + "' is not one of auto, software, kvm");
      };
    }
  }

  /** Reads a time. */
  static final class Time implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      try {
        return Durations.parse(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
