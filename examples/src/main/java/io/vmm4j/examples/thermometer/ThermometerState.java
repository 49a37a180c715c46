package io.vmm4j.examples.thermometer;

/**
 * What a snapshot says of a thermometer: a record made for the file, not the fields of the class.
 * Its component names are the field names in the file.
 *
 * @param celsius the temperature, 0 to 99 degrees
 * @param threshold at which the alarm is given, 0 to 255 degrees
 * @param alarm whether the alarm is given, and the interrupt line asserted
 * @param nextDegreeAt the guest time at which it gets a degree warmer, in nanoseconds
 */
public record ThermometerState(int celsius, int threshold, boolean alarm, long nextDegreeAt) {

  /** Checks ranges: a file may say anything. */
  public ThermometerState {
    ThermometerConfig.check("celsius", celsius, 0, Thermometer.HOTTEST);
    ThermometerConfig.check("threshold", threshold, 0, 255);
  }
}
