package io.vmm4j.api.device;

import java.util.Map;

/**
 * A named set of devices that a machine has without being asked, found through {@link
 * java.util.ServiceLoader}. A specification's own device of the same path replaces the board's.
 */
public interface Board {

  /** Its name in specifications: {@code pc} is the default. */
  String name();

  /** Its devices by path, in the order in which they are attached. */
  Map<String, DeviceConfig> devices();
}
