package io.vmm4j.engine.machine;

import io.vmm4j.api.Vm;
import io.vmm4j.api.clock.ClockMode;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.device.DeviceContext;
import io.vmm4j.api.device.DeviceFactory;
import io.vmm4j.api.device.DeviceModel;
import io.vmm4j.api.state.RecordSchema;
import java.lang.invoke.MethodHandles;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Machines of a scripted vCPU whose devices are written in the test that needs them. */
final class ScriptedDevices {

  /** A device without state that does all it does when it is made. */
  static class Plain implements DeviceModel<NoState> {
    @Override
    public void reset() {}

    @Override
    public NoState save() {
      return new NoState();
    }

    @Override
    public void restore(NoState state) {}
  }

  record NoState() {}

  record Named(String device) implements DeviceConfig {
    @Override
    public String deviceType() {
      return "scripted";
    }
  }

  private final Map<String, Function<DeviceContext, DeviceModel<NoState>>> devices =
      new LinkedHashMap<>();

  /** Adds one. */
  ScriptedDevices with(String path, Function<DeviceContext, DeviceModel<NoState>> made) {
    devices.put(path, made);
    return this;
  }

  /** Makes the machine; its vCPU halts at once. */
  Vm create(ClockMode clock) {
    return create(clock, new FakeBackend((host, vcpu) -> FakeBackend.Outcome.HALT));
  }

  Vm create(ClockMode clock, FakeBackend backend) {
    Map<String, DeviceConfig> configs = new LinkedHashMap<>();
    devices.keySet().forEach(path -> configs.put(path, new Named(path)));
    return factory(backend).create(TestMachines.spec(clock, configs));
  }

  MachineFactory factory(FakeBackend backend) {
    Factory factory = new Factory();
    return new MachineFactory(
        new DeviceCatalog(Map.of(factory.type(), factory), Map.of(), List.of(backend)),
        new TestMachines.NoBoot());
  }

  static Machine machine(Vm vm) {
    return ((VirtualMachine) vm).machine();
  }

  private final class Factory implements DeviceFactory<Named, NoState> {
    @Override
    public String type() {
      return "scripted";
    }

    @Override
    public String summary() {
      return "for tests";
    }

    @Override
    public RecordSchema<Named> configSchema() {
      return RecordSchema.builder(MethodHandles.lookup(), Named.class)
          .defaults(new Named(""))
          .build();
    }

    @Override
    public RecordSchema<NoState> stateSchema() {
      return RecordSchema.of(MethodHandles.lookup(), NoState.class);
    }

    @Override
    public DeviceModel<NoState> create(Named config, DeviceContext context) {
      return devices.get(config.device()).apply(context);
    }
  }
}
