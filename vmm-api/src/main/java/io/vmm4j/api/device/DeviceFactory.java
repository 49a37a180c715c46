package io.vmm4j.api.device;

import io.vmm4j.api.state.RecordSchema;

/**
 * Makes devices of one type. Found through {@link java.util.ServiceLoader}: a module says {@code
 * provides DeviceFactory with …}, a class path has {@code META-INF/services}. Built-in devices and
 * a user's own are found the same way.
 *
 * @param <C> the configuration
 * @param <S> the state
 */
public interface DeviceFactory<C extends Record & DeviceConfig, S extends Record> {

  /**
   * The type's name in specifications, snapshots and on the command line, such as {@code
   * uart16550}.
   */
  String type();

  /** One line for the command line's help. */
  String summary();

  /** How the configuration is written, read and versioned; every field has a default. */
  RecordSchema<C> configSchema();

  /** How the state is written, read and versioned. */
  RecordSchema<S> stateSchema();

  /**
   * How much sparse memory a device is going to ask for ({@link DeviceContext#sparseMemory}), for
   * the machine has its address space from the start.
   *
   * @return bytes, a multiple of 4 KiB; 0 where that is not known
   */
  default long sparseMemoryBytes(C config) {
    return 0;
  }

  /**
   * Makes a device whole: it claims ports, windows, interrupt lines, device memory and timers of
   * the context, and offers what its user reaches. Its {@link DeviceModel#reset} follows.
   *
   * <p>The configuration is in range: its record's constructor has seen to that, and a
   * specification is checked by it alone. So this refuses only what the machine or the host can't
   * give. A device that fails here has released what it holds of the host.
   *
   * @param config what to make
   * @param context the machine as this device sees it, for as long as the device lives
   * @throws io.vmm4j.api.DeviceException if something can't be had
   */
  DeviceModel<S> create(C config, DeviceContext context);
}
