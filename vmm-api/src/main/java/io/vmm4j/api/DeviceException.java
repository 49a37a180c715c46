package io.vmm4j.api;

/** A device that can't be made, attached or restored; the message begins with its path. */
public class DeviceException extends VmException {
  private static final long serialVersionUID = 1L;

  private final String path;

  /** Names the device. */
  public DeviceException(String path, String message) {
    super(path + ": " + message);
    this.path = path;
  }

  /** Names the device and the cause. */
  public DeviceException(String path, String message, Throwable cause) {
    super(path + ": " + message, cause);
    this.path = path;
  }

  /** The device's path in its machine. */
  public String path() {
    return path;
  }
}
