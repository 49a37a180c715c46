package io.vmm4j.engine.machine;

import io.vmm4j.api.VmMetrics;
import java.util.function.Supplier;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;

/**
 * A machine's {@link VmMetrics} as events of the JDK's Flight Recorder, once a second while it
 * records. Nothing of the recorder is started for it.
 */
final class MetricsEvents implements FlightRecorderListener, AutoCloseable {

  /** A figure of a machine at a time. */
  @Name("io.vmm4j.Metric")
  @Label("Metric")
  @Category("vmm4j")
  @Description("A figure about a run of a virtual machine since it began: see VmMetrics")
  @Period("1 s")
  @StackTrace(false)
  private static final class MetricEvent extends Event {
    @Label("Machine")
    private final String machine;

    @Label("Metric")
    private final String metric;

    @Label("Value")
    private final long value;

    MetricEvent(String machine, String metric, long value) {
      this.machine = machine;
      this.metric = metric;
      this.value = value;
    }
  }

  private final String machine;
  private final Supplier<VmMetrics> metrics;
  private final Runnable hook = this::emit;
  private boolean registered;
  private boolean closed;

  MetricsEvents(String machine, Supplier<VmMetrics> metrics) {
    this.machine = machine;
    this.metrics = metrics;
  }

  /** Emits events as soon as the recorder is there. */
  void open() {
    FlightRecorder.addListener(this);
  }

  @Override
  public synchronized void recorderInitialized(FlightRecorder recorder) {
    if (!registered && !closed) {
      registered = true;
      FlightRecorder.addPeriodicEvent(MetricEvent.class, hook);
    }
  }

  private void emit() {
    VmMetrics now = metrics.get();
    emit("instructions", now.instructions());
    emit("runningMicros", now.running().toNanos() / 1000);
    emit("idleMicros", now.idle().toNanos() / 1000);
    now.counters().forEach(this::emit);
  }

  private void emit(String metric, long value) {
    new MetricEvent(machine, metric, value).commit();
  }

  @Override
  public void close() {
    FlightRecorder.removeListener(this);
    synchronized (this) {
      closed = true;
      if (registered) {
        FlightRecorder.removePeriodicEvent(hook);
      }
    }
  }
}
