package io.vmm4j.engine.machine;

import static io.vmm4j.engine.machine.SerialShell.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.api.channel.ConsolePorts;
import io.vmm4j.api.channel.GuestChannel;
import io.vmm4j.api.channel.GuestChannelException;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtioconsole.VirtioConsoleConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A virtio console and its ports with Linux's driver. */
@Timeout(1200)
class LinuxConsoleTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String PROMPT = "vmm4j:/root# ";
  private static final String DEVICE = "pci/00:05.0";
  private static final String READY = "hvc> ";

  private static String read(GuestChannel channel, int count) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(count);
    while (all.hasRemaining() && channel.read(all) >= 0) {
      // on to the end
    }
    return new String(all.array(), 0, all.position(), StandardCharsets.US_ASCII);
  }

  @Test
  void aShellOnTheConsoleAndAPort() throws Exception {
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(128))
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.virtio())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", Uart.com1())
            .device("pci", HostBridgeConfig.DEFAULT)
            .device(DEVICE, VirtioConsoleConfig.withPorts("agent", "org.example.other"))
            .build();
    System.out.println("BACKEND: software");
    try (Vm vm = Vm.start(spec)) {
      Console serial = vm.console("com1");
      serial.expect(PROMPT, PATIENCE);
      serial.sendLine("stty -echo; PS1=; echo qui''et");
      serial.expect("quiet", PATIENCE);
      assertThat(answer(vm, "cat /sys/class/virtio-ports/*/name"))
          .isEqualTo("agent\norg.example.other");
      ConsolePorts ports = vm.device(DEVICE, ConsolePorts.class);

      // the console
      answer(vm, "(PS1='" + READY + "' setsid sh -i <>/dev/hvc0 >&0 2>&1 &)");
      Console console = vm.console(DEVICE);
      console.expect(READY, PATIENCE);
      console.sendLine("stty size");
      console.expect("25 80", PATIENCE);
      ports.resize(132, 50);
      console.sendLine("until [ \"$(stty size)\" = '50 132' ]; do :; done; echo resi''zed");
      console.expect("resized", PATIENCE);

      // a port, until the guest closes it
      // (Linux gives a reader the end of input as long as nobody of the host is there)
      String echo = "while :; do while read line; do echo \"heard $line\"; done; done";
      answer(vm, "(" + echo + " <>/dev/vport0p1 >&0 &)");
      try (GuestChannel agent = ports.open("agent", PATIENCE)) {
        agent.write(ByteBuffer.wrap("hello\n".getBytes(StandardCharsets.US_ASCII)));
        assertThat(read(agent, 12)).isEqualTo("heard hello\n");
        try (Snapshot snapshot = vm.snapshot()) {
          try (Vm fork = snapshot.fork()) {
            fork.console(DEVICE).sendLine("echo in the fo''rk");
            fork.console(DEVICE).expect("in the fork", PATIENCE);
          }
          vm.restore(snapshot);
          assertThatThrownBy(() -> agent.read(ByteBuffer.allocate(1)))
              .isInstanceOf(GuestChannelException.class)
              .hasMessageContaining("restored");
        }
      }
      answer(vm, "(head -c 300000 /dev/zero | tr '\\0' x >/dev/vport0p2 &)");
      try (GuestChannel other = ports.open("org.example.other", PATIENCE)) {
        assertThat(read(other, 400_000)).isEqualTo("x".repeat(300_000));
        assertThat(other.read(ByteBuffer.allocate(1))).isEqualTo(-1);
      }
    }
  }
}
