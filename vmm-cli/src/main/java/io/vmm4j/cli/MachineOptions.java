package io.vmm4j.cli;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.BackendUnavailableException;
import io.vmm4j.api.Backends;
import io.vmm4j.api.Translation;
import io.vmm4j.gdb.GdbServer;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
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
          "What runs the guest: the software processor, or KVM; auto takes KVM where it can be"
              + " used (default: auto).")
  private BackendChoice choice = Backends.auto();

  @Option(
      names = "--translation",
      paramLabel = "auto|off|required",
      converter = TranslationChoice.class,
      description =
          "Whether the software backend makes machine code of the guest's, which is some twenty"
              + " times faster: where it can, never, or else not at all (default: auto).")
  private Translation translation = Translation.AUTO;

  @Option(
      names = "--stats",
      description = "Say at the end what the backend has counted, on standard error.")
  boolean stats;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      converter = Time.class,
      description = "End the machine after this time, such as 500ms, 60s, 5m, with exit code 8.")
  @Nullable Duration timeout;

  @Option(
      names = "--end-when-dead",
      description =
          "End the machine, with exit code 28, when every vCPU has halted with interrupts disabled,"
              + " as after a panic. On the software backend.")
  boolean endWhenDead;

  @Option(
      names = "--control",
      paramLabel = "SOCKET",
      description =
          "Open a UNIX-domain socket there, through which ./vmm ctl, as the same user, controls the"
              + " machine.")
  @Nullable Path control;

  @Option(
      names = "--vsock",
      paramLabel = "DIRECTORY",
      description =
          "Open the machine's virtio sockets there: a program that connects to vsock.sock and sends"
              + " CONNECT PORT reaches the guest; vsock.sock_PORT is reached by the guest (CID 3) at"
              + " CID 2. ./vmm run adds the device.")
  @Nullable Path vsock;

  @Option(
      names = "--gdb",
      paramLabel = "PORT|PATH",
      converter = GdbPort.class,
      description =
          "Listen for GDB at this TCP port of the loopback interface, or make a UNIX-domain socket"
              + " there: (gdb) target remote :PORT.")
  @Nullable SocketAddress gdb;

  @Option(
      names = "--gdb-wait",
      description = "Stand at the first instruction until the debugger of --gdb continues.")
  boolean gdbWait;

  @Option(
      names = "--paused",
      description =
          "Leave the machine paused until ./vmm ctl SOCKET resume, or the debugger, lets it go on;"
              + " needs --control or --gdb.")
  boolean paused;

  /**
   * Makes sure that the chosen backend is one that this build has, and that options go together.
   *
   * @throws BackendUnavailableException if it is not
   */
  void check() {
    if (gdbWait && gdb == null) {
      throw new UsageException("--gdb-wait needs --gdb PORT|PATH");
    }
    if (paused && control == null && gdb == null) {
      throw new UsageException("--paused needs --control SOCKET or --gdb PORT|PATH");
    }
    check(choice);
  }

  /** What is to run the guest. */
  BackendChoice backend() {
    return choice.with(translation);
  }

  /**
   * Makes sure that a backend is one that this build has.
   *
   * @throws BackendUnavailableException if it is not
   */
  static void check(BackendChoice backend) {
    List<String> present = Backends.present();
    if (!backend.name().equals(BackendChoice.AUTO) && !present.contains(backend.name())) {
      throw new BackendUnavailableException(
          backend.name(), "this build has only " + String.join(", ", present));
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

  /** Reads whether machine code is to be made. */
  static final class TranslationChoice implements ITypeConverter<Translation> {
    @Override
    public Translation convert(String text) {
      return switch (text) {
        case "auto" -> Translation.AUTO;
        case "off" -> Translation.OFF;
        case "required" -> Translation.REQUIRED;
        default ->
            throw new TypeConversionException("'" + text + "' is not one of auto, off, required");
      };
    }
  }

  /** Reads where to listen for a debugger. */
  static final class GdbPort implements ITypeConverter<SocketAddress> {
    private static final int MOST = 65535;

    /** A name without a directory that is rather meant for a port or a host. */
    private static final Pattern NO_PATH = Pattern.compile("[-+0-9].*|.*:.*|localhost");

    @Override
    public SocketAddress convert(String text) {
      if (text.indexOf('/') < 0 && !text.matches("[0-9]+") && NO_PATH.matcher(text).matches()) {
        throw new TypeConversionException(
            "'%s' is neither a port alone, such as 1234, nor the path of a socket; ./%s would be one"
                .formatted(text, text));
      }
      if (!text.matches("[0-9]+")) {
        return UnixDomainSocketAddress.of(new PathText().convert(text));
      }
      int port = text.length() > 5 ? MOST + 1 : Integer.parseInt(text);
      if (port < 1 || port > MOST) {
        throw new TypeConversionException("'" + text + "' is not a port from 1 to " + MOST);
      }
      return GdbServer.loopback(port);
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
