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
   * A new device, not yet attached.
   *
   * @throws IllegalArgumentException if a value of the configuration is out of range; the message
   *     names it
   */
  DeviceModel<S> create(C config);
}
