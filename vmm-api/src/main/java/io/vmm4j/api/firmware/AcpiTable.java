package io.vmm4j.api.firmware;

/**
 * An ACPI table of a device's own (ACPI 6.4, 5.2.6).
 *
 * @param signature 4 characters
 * @param revision of its form
 * @param body what follows the header
 */
public record AcpiTable(String signature, int revision, byte[] body) {

  /** Checks the signature. */
  public AcpiTable {
    if (!signature.matches("[A-Z0-9]{4}")) {
      throw new IllegalArgumentException("no signature of a table: " + signature);
    }
  }
}
