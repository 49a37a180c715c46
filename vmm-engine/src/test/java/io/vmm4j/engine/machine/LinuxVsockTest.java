package io.vmm4j.engine.machine;

import static io.vmm4j.engine.machine.SerialShell.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotOptions;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.channel.GuestChannelException;
import io.vmm4j.api.vsock.Vsock;
import io.vmm4j.api.vsock.VsockChannel;
import io.vmm4j.api.vsock.VsockListener;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtiovsock.VirtioVsockConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.net.ConnectException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Virtio sockets with Linux's driver. The guest's program is vsock.c. */
@Timeout(1200)
class LinuxVsockTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String PROMPT = "vmm4j:/root# ";
  private static final String DEVICE = "pci/00:05.0";
  private static final int ECHO_PORT = 7000;

  @TempDir Path directory;

  private Vm started() throws IOException {
    GuestImages images = GuestImages.required();
    Path initrd = InitramfsWith.program(images.virtio(), "vsock", directory.resolve("initrd"));
    Vm vm =
        Vm.start(
            VmSpec.builder("linux")
                .backend(Backends.software())
                .memory(MemorySize.mebibytes(128))
                .boot(
                    LinuxBoot.kernel(images.kernel())
                        .initrd(initrd)
                        .commandLine("console=ttyS0 panic=-1"))
                .device("com1", Uart.com1())
                .device("pci", HostBridgeConfig.DEFAULT)
                .device(DEVICE, VirtioVsockConfig.DEFAULT)
                .build());
    System.out.println("BACKEND: software");
    Console console = vm.console("com1");
    console.expect(PROMPT, PATIENCE);
    console.sendLine("stty -echo; PS1=; echo qui''et");
    console.expect("quiet", PATIENCE);
    return vm;
  }

  private static Vsock vsock(Vm vm) {
    return vm.device(DEVICE, Vsock.class);
  }

  private static void listen(Vm vm, int port) throws IOException {
    answer(vm, "(vsock listen " + port + " &)");
    while (true) {
      try {
        vsock(vm).connect(port).close();
        return;
      } catch (ConnectException e) {
        assertThat(e).hasMessageContaining("refuses"); // it is not there yet
      }
    }
  }

  private static byte[] bytes(long seed, int count) {
    byte[] bytes = new byte[count];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  private static String digest(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  private static byte[] readAll(VsockChannel channel, int most) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(most + 1);
    while (channel.read(all) >= 0) {
      assertThat(all.hasRemaining()).isTrue();
    }
    return Arrays.copyOf(all.array(), all.position());
  }

  private static <T> FutureTask<T> begin(Callable<T> work) {
    FutureTask<T> task = new FutureTask<>(work);
    Thread.ofVirtual().start(task);
    return task;
  }

  /** Sends bytes to the guest that echoes them, and gives what comes back. */
  private static byte[] echoed(VsockChannel channel, byte[] sent)
      throws IOException, InterruptedException, ExecutionException {
    FutureTask<Boolean> writer =
        begin(() -> {
          channel.write(ByteBuffer.wrap(sent));
          channel.shutdownOutput();
          return true;
        });
    byte[] back = readAll(channel, sent.length);
    assertThat(writer.get()).isTrue();
    return back;
  }

  @Test
  void bothSidesConnectAndMuchIsSent() throws Exception {
    try (Vm vm = started()) {
      assertThatThrownBy(() -> vsock(vm).connect(ECHO_PORT)).hasMessageContaining("refuses");
      listen(vm, ECHO_PORT);
      List<FutureTask<byte[]>> transfers = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        byte[] sent = bytes(i, 100_000 + i);
        transfers.add(
            begin(() -> {
              try (VsockChannel channel = vsock(vm).connect(ECHO_PORT, PATIENCE)) {
                return echoed(channel, sent);
              }
            }));
      }
      for (int i = 0; i < transfers.size(); i++) {
        assertThat(transfers.get(i).get()).isEqualTo(bytes(i, 100_000 + i));
      }

      // from the guest, with an answer
      byte[] file = bytes(99, 1_000_000);
      try (VsockListener listener = vsock(vm).listen(5000)) {
        vm.console("com1").sendLine("echo question | vsock connect 5000 | sha256sum; echo d''one");
        try (VsockChannel channel = listener.accept(PATIENCE)) {
          assertThat(readAll(channel, 100)).isEqualTo("question\n".getBytes());
          channel.write(ByteBuffer.wrap(file));
        }
        assertThat(vm.console("com1").expect("done", PATIENCE).before()).contains(digest(file));
      }
      assertThat(answer(vm, "vsock connect 5001 </dev/null; echo $?"))
          .as("nobody listens: ECONNRESET")
          .isEqualTo("104");
    }
  }

  @Test
  void snapshotsUnderLoadLoseNothingAndARestoreResetsVisibly() throws Exception {
    try (Vm vm = started()) {
      listen(vm, ECHO_PORT);
      byte[] sent = bytes(1, 2_000_000);
      List<FutureTask<byte[]>> transfers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        VsockChannel channel = vsock(vm).connect(ECHO_PORT, PATIENCE);
        transfers.add(begin(() -> echoed(channel, sent)));
      }
      List<Snapshot> snapshots = new ArrayList<>();
      try {
        snapshots.add(vm.snapshot());
        snapshots.add(vm.snapshot(SnapshotOptions.live()));
        snapshots.add(vm.snapshot());
        for (FutureTask<byte[]> transfer : transfers) {
          assertThat(transfer.get()).isEqualTo(sent);
        }
        for (Snapshot snapshot : snapshots) {
          try (Vm fork = snapshot.fork()) {
            try (VsockChannel channel = vsock(fork).connect(ECHO_PORT, PATIENCE)) {
              byte[] little = bytes(2, 50_000);
              assertThat(echoed(channel, little)).isEqualTo(little);
            }
            // those who echoed in the saved machine have seen the reset, and are gone
            assertThat(
                    answer(
                        fork,
                        "i=0; while [ $(pidof vsock | wc -w) != 1 ] && [ $i -lt 50 ];"
                            + " do sleep 0.1; i=$((i + 1)); done; pidof vsock | wc -w"))
                .isEqualTo("1");
          }
        }
        VsockChannel open = vsock(vm).connect(ECHO_PORT, PATIENCE);
        vm.restore(snapshots.getFirst());
        assertThatThrownBy(() -> open.read(ByteBuffer.allocate(1)))
            .isInstanceOf(GuestChannelException.class)
            .extracting(e -> ((GuestChannelException) e).reason())
            .isEqualTo(GuestChannelException.Reason.RESTORED);
        try (VsockChannel channel = vsock(vm).connect(ECHO_PORT, PATIENCE)) {
          assertThat(echoed(channel, sent)).isEqualTo(sent);
        }
      } finally {
        snapshots.forEach(Snapshot::close);
      }
    }
  }
}
