package io.vmm4j.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmState;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** How a server begins and ends, and what it does when a snapshot fails. */
@Timeout(1200)
class ControlServerTest {
  private static final Duration LONG = Duration.ofMinutes(10);

  @TempDir private Path directory;

  private Vm start() {
    Vm vm = Vm.start(Guests.spec(directory, Guests.COUNTER).build());
    vm.console("com1").expect(">", LONG);
    return vm;
  }

  /** A machine like another but for its snapshots' {@code writeTo}. */
  private static Vm withWrites(Vm vm, InvocationHandler writeTo) {
    return proxy(
        Vm.class,
        vm,
        (self, method, arguments) ->
            method.getName().equals("snapshot")
                ? proxy(
                    Snapshot.class,
                    vm.snapshot(),
                    (snapshot, called, given) ->
                        called.getName().equals("writeTo")
                            ? writeTo.invoke(snapshot, called, given)
                            : NOT_HANDLED)
                : NOT_HANDLED);
  }

  private static final Object NOT_HANDLED = new Object();

  private static <T> T proxy(Class<T> type, T target, InvocationHandler handler) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              Object result = handler.invoke(self, method, arguments);
              if (result != NOT_HANDLED) {
                return result;
              }
              try {
                return method.invoke(target, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  @Test
  void aFullDiskIsAnErrorAndTheMachineGoesOn() throws IOException {
    Path file = directory.resolve("s.vmm");
    try (Vm vm = start()) {
      Vm full =
          withWrites(
              vm,
              (self, method, arguments) -> {
                throw new IOException("No space left on device");
              });
      try (ControlServer server = ControlServer.open(full, directory.resolve("control"));
          ControlClient client = ControlClient.connect(server.path())) {
        for (boolean suspend : new boolean[] {false, true}) {
          assertThatThrownBy(() ->
                  client.call("snapshot", Map.of("file", file.toString(), "suspend", suspend)))
              .isInstanceOf(ControlException.Refused.class)
              .hasMessage("cannot write %s: No space left on device", file);
          assertThat(vm.state()).isEqualTo(new VmState.Running());
        }
        assertThat(file).doesNotExist();
      }
    }
  }

  @Test
  void aFailureInTheMiddleOfAStreamIsToldApartFromItsEnd() throws IOException {
    try (Vm vm = start()) {
      Vm failing =
          withWrites(
              vm,
              (self, method, arguments) -> {
                ((OutputStream) arguments[0]).write(new byte[100_000]);
                throw new IOException("lost the memory file");
              });
      try (ControlServer server = ControlServer.open(failing, directory.resolve("control"));
          ControlClient client = ControlClient.connect(server.path())) {
        java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
        assertThatThrownBy(() -> client.snapshotTo(out))
            .isInstanceOf(ControlException.Refused.class)
            .hasMessageContaining("lost the memory file");
        assertThat(out.size()).isEqualTo(100_000);
        assertThat(client.call("status", Map.of())).as("the next command").contains("running");
      }
    }
  }

  @Test
  void oneSnapshotAtATimeAndTheMachineRunsMeanwhile() throws Exception {
    CountDownLatch writing = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    try (Vm vm = start()) {
      Vm slow =
          withWrites(
              vm,
              (self, method, arguments) -> {
                Files.writeString((Path) arguments[0], "as if");
                writing.countDown();
                goOn.await();
                return null;
              });
      ControlServer server = ControlServer.open(slow, directory.resolve("control"));
      try (ControlClient first = ControlClient.connect(server.path());
          ControlClient second = ControlClient.connect(server.path())) {
        // given a snapshot under way
        Map<String, Object> toFile = Map.of("file", directory.resolve("s.vmm").toString());
        CompletableFuture<String> result =
            CompletableFuture.supplyAsync(() -> {
              try {
                return first.call("snapshot", toFile);
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
        writing.await();

        // then others are refused, and all else goes on
        for (String command : List.of("snapshot", "restore")) {
          assertThatThrownBy(() -> second.call(command, toFile))
              .isInstanceOfSatisfying(
                  ControlException.Refused.class, e -> assertThat(e.type()).isEqualTo("busy"));
        }
        assertThat(second.call("status", Map.of())).contains("\"state\" : \"running\"");

        // and a server that closes waits for it and lets its client know
        Thread closing = Thread.startVirtualThread(server::close);
        while (Files.exists(server.path())) {
          Thread.onSpinWait();
        }
        assertThat(result).isNotDone();
        goOn.countDown();
        assertThat(result.get()).contains("\"bytes\" : 5");
        closing.join();
      }
    }
  }

  @Test
  void aSecondServerIsRefusedAndTheFirstGoesOn() throws IOException {
    Path path = directory.resolve("control");
    try (Vm vm = start();
        ControlServer server = ControlServer.open(vm, path)) {
      assertThatThrownBy(() -> ControlServer.open(vm, path))
          .isInstanceOf(ControlException.InUse.class)
          .hasMessageContaining(path.toString());
      try (ControlClient client = ControlClient.connect(server.path())) {
        assertThat(client.call("status", Map.of())).contains("running");
      }
    }
  }

  @Test
  void closingLeavesNoThreadSocketOrFile() throws Exception {
    try (Vm vm = start()) {
      long before = sockets();
      ControlServer server = ControlServer.open(vm, directory.resolve("control"));
      ControlClient idle = ControlClient.connect(server.path());
      ControlClient console = ControlClient.connect(server.path());
      console.console("com1");
      RawClient halfALine = RawClient.greeted(server.path());
      halfALine.send("{");
      idle.call("status", Map.of());

      // when
      server.close();
      server.close();

      // then
      assertThat(Thread.getAllStackTraces().keySet())
          .filteredOn(thread -> thread.getName().matches(".*(control|console-com1|globalEvent).*"))
          .as("threads that do not end at once")
          .allSatisfy(thread -> assertThat(thread.join(LONG)).isTrue());
      assertThat(halfALine.atEnd()).isTrue();
      assertThatThrownBy(() -> idle.call("status", Map.of())).isInstanceOf(IOException.class);
      idle.close();
      console.close();
      halfALine.close();
      assertThat(sockets()).isEqualTo(before);
      try (Stream<Path> files = Files.list(directory)) {
        assertThat(files.map(file -> file.getFileName().toString())).containsExactly("guest.bin");
      }
      assertThat(vm.state()).isEqualTo(new VmState.Running());
    }
  }

  private static long sockets() throws IOException {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(ControlServerTest::isSocket).count();
    }
  }

  private static boolean isSocket(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().startsWith("socket:");
    } catch (IOException e) {
      return false; // closed meanwhile: the one that lists them
    }
  }

  @Test
  void whereNobodyListensTheClientSaysSo() throws IOException {
    Path path = directory.resolve("control");
    assertThatThrownBy(() -> ControlClient.connect(path))
        .isInstanceOf(ControlException.Socket.class)
        .hasMessageContaining("there is no such socket");
    java.nio.channels.ServerSocketChannel dead =
        java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX);
    dead.bind(java.net.UnixDomainSocketAddress.of(path));
    dead.close();
    assertThatThrownBy(() -> ControlClient.connect(path))
        .isInstanceOf(ControlException.Socket.class)
        .hasMessageContaining("no machine listens there any more");
  }

  @Test
  void limitsArePositive() {
    ControlLimits usual = ControlLimits.standard();
    assertThatThrownBy(
            () -> new ControlLimits(0, 1, 1, 1, 1, 1, 1, usual.line(), usual.idle(), usual.write()))
        .hasMessageContaining("connections");
  }
}
