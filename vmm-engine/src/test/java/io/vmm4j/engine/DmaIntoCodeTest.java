package io.vmm4j.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.BackendChoice;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmExit;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.AccessWidth;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.device.DeviceWorker;
import io.vmm4j.api.device.PortHandler;
import io.vmm4j.api.memory.ScatterGather;
import io.vmm4j.api.state.RecordSchema;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A device on a thread of its own writes into code that the guest is executing. */
class DmaIntoCodeTest {
  private static final int PLACE = 0x1000;
  private static final int OPERAND = PLACE + 29;

  // mov cx, 0xFFFF; 1: call f; loop 1b; mov dx, 0x500; mov al, 7; out dx, al
  // 2: call f; cmp al, 2; jne 2b; mov al, 21; mov dx, 0xF4; out dx, al; hlt
  // f: mov al, 1; ret
  private static final byte[] CODE =
      HexFormat.of()
          .parseHex(
              "b9ffff" + "e81600" + "e2fb" + "ba0005" + "b007" + "ee" + "e80b00" + "3c02" + "75f9"
                  + "b015" + "baf400" + "ee" + "f4" + "b001" + "c3");

  @TempDir private Path directory;

  @ParameterizedTest
  @EnumSource
  void theGuestExecutesWhatTheDeviceHasWritten(ClockMode clock) throws IOException {
    Path image = Files.write(directory.resolve("guest"), CODE);
    VmSpec spec =
        VmSpec.builder("guest")
            .backend(new BackendChoice("software"))
            .memory(MemorySize.mebibytes(2))
            .boot(new BootSource.FlatRealMode(image, PLACE))
            .device("exit", new io.vmm4j.devices.debugexit.DebugExitConfig(0xF4))
            .build();
    try (Vm vm = ExtraDevice.create(spec, clock, new Factory(), new Config(2))) {
      vm.resume();
      assertThat(vm.awaitExit(Duration.ofMinutes(2))).isEqualTo(new VmExit.DebugExit(21));
    }
  }

  record Config(int operand) implements DeviceConfig {
    @Override
    public String deviceType() {
      return "patcher";
    }
  }

  record State() {}

  private static final class Patcher implements DeviceModel<State>, PortHandler {
    private final DeviceContext context;
    private final DeviceWorker worker;
    private final byte operand;
    private boolean asked;

    Patcher(Config config, DeviceContext context) {
      this.context = context;
      this.operand = (byte) config.operand();
      worker = context.worker("dma", this::take);
      context.claimPorts(0x500, 1, AccessWidth.BYTE, this);
    }

    private Optional<DeviceWorker.Request> take() {
      if (!asked) {
        return Optional.empty();
      }
      asked = false;
      return Optional.of(
          new DeviceWorker.Request() {
            @Override
            public void work() {
              ScatterGather code =
                  new ScatterGather(context.memory(), ScatterGather.Use.WRITTEN, 1);
              code.add(OPERAND, 1);
              code.writeInPlace(0, 1, piece -> piece.set(ValueLayout.JAVA_BYTE, 0, operand));
            }

            @Override
            public void complete() {}
          });
    }

    @Override
    public int read(int offset, int size) {
      return 0;
    }

    @Override
    public void write(int offset, int size, int value) {
      asked = true;
      worker.wake();
    }

    @Override
    public void reset() {}

    @Override
    public State save() {
      return new State();
    }

    @Override
    public void restore(State state) {}
  }

  private static final class Factory implements DeviceFactory<Config, State> {
    @Override
    public String type() {
      return "patcher";
    }

    @Override
    public String summary() {
      return "for tests";
    }

    @Override
    public RecordSchema<Config> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Config.class)
          .defaults(new Config(2))
          .build();
    }

    @Override
    public RecordSchema<State> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), State.class);
    }

    @Override
    public DeviceModel<State> create(Config config, DeviceContext context) {
      return new Patcher(config, context);
    }
  }
}
