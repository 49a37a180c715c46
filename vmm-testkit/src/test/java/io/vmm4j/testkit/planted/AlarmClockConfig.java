package io.vmm4j.testkit.planted;

import io.vmm4j.api.device.DeviceConfig;
import java.util.EnumSet;
import java.util.Set;

/** Which faults it has, a bit each. */
record AlarmClockConfig(int faultBits) implements DeviceConfig {
  static AlarmClockConfig with(Fault... chosen) {
    int bits = 0;
    for (Fault fault : chosen) {
      bits |= 1 << fault.ordinal();
    }
    return new AlarmClockConfig(bits);
  }

  Set<Fault> faults() {
    Set<Fault> faults = EnumSet.noneOf(Fault.class);
    for (Fault fault : Fault.values()) {
      if ((faultBits >> fault.ordinal() & 1) != 0) {
        faults.add(fault);
      }
    }
    return faults;
  }

  @Override
  public String deviceType() {
    return "alarm-clock";
  }
}
