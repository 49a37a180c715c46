package io.vmm4j.api.device;

/**
 * The configuration of one device: implemented by a record whose components are the device's
 * options. It is kept in the snapshot, so it holds plain values only (see {@link
 * io.vmm4j.api.state.RecordSchema}); a host resource is named, not held.
 *
 * <p>Its constructor checks every value on its own, and throws an {@link IllegalArgumentException}
 * that names the one out of range. Nothing else checks a configuration before the device is made.
 */
public interface DeviceConfig {

  /** The type of device this configures: the {@link DeviceFactory#type} of its factory. */
  String deviceType();
}
