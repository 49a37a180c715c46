package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.guests.GuestImages;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Much input for Linux's own driver of a serial port. */
@Timeout(1200)
class LinuxSerialTest {
  private static final Duration PATIENCE = Duration.ofMinutes(10);
  private static final String PROMPT = "vmm4j:/root# ";

  /** More than the driver's 512 passes of 256 characters, and than it buffers. */
  private static final int BYTES = 1_000_000;

  @Test
  void everyByteOfOneSendArrives() throws Exception {
    GuestImages images = GuestImages.required();
    VmSpec spec =
        VmSpec.builder("linux")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(128))
            .boot(
                LinuxBoot.kernel(images.kernel())
                    .initrd(images.initrd())
                    .commandLine("console=ttyS0 panic=-1"))
            .device("com1", Uart.com1())
            .device("com2", Uart.com2())
            .build();
    System.out.println("BACKEND: software");
    byte[] bytes = new byte[BYTES];
    new Random(1).nextBytes(bytes);
    String digest = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    try (Vm vm = Vm.start(spec)) {
      Console console = vm.console("com1");
      console.expect(PROMPT, PATIENCE);
      console.sendLine("stty -F /dev/ttyS1 raw -echo; exec 9<>/dev/ttyS1; echo re''ady");
      console.expect("ready", PATIENCE);
      // when
      console.sendLine("head -c " + BYTES + " <&9 | sha256sum");
      vm.console("com2").send(bytes, PATIENCE);
      // then
      console.expect(digest, PATIENCE);
      assertThat(vm.console("com2").pendingInputBytes()).isZero();
    }
  }
}
