package io.vmm4j.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.vmm4j.api.Vm;
import io.vmm4j.socket.Transport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which transport is taken, and that the JVM has nothing to say about it. */
@Timeout(1200)
class TransportTest {
  @TempDir private Path directory;

  /** Run in a JVM of its own: says which transport it is, and asks a server for its status. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) throws IOException {
      Path directory = Path.of(args[0]);
      System.out.println(Transport.choose().name());
      try (Vm vm = Vm.create(Guests.spec(directory, Guests.COUNTER).build());
          ControlServer server = ControlServer.open(vm, directory.resolve("control"));
          ControlClient client = ControlClient.connect(server.path())) {
        client.call("resume", Map.of());
        client.snapshotTo(java.io.OutputStream.nullOutputStream());
        ControlClient.Console console = client.console("com1");
        System.out.println((char) console.output().read());
      }
    }
  }

  private String run(String... options) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Probe.class.getName()));
    command.add(directory.toString());
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    } finally {
      process.destroyForcibly();
    }
    return Files.readString(output);
  }

  @Test
  void withoutNativeAccessItIsTheJdksOwnAndTheJvmDoesNotWarn() throws Exception {
    assertThat(run("--illegal-native-access=deny")).isEqualTo("nio\n>\n");
    assertThat(run()).isEqualTo("nio\n>\n");
  }

  @Test
  void withNativeAccessItIsEpollAndTheJvmDoesNotWarn() throws Exception {
    assumeTrue(System.getProperty("os.name").equals("Linux"), "SKIPPED: epoll is Linux's");
    assumeTrue(
        System.getProperty("os.arch").equals("amd64"), "SKIPPED: its test jar is for x86-64");
    assertThat(run("--illegal-native-access=deny", "--enable-native-access=ALL-UNNAMED"))
        .isEqualTo("epoll\n>\n");
  }
}
