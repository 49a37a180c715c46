package io.vmm4j.engine.machine.run;

import io.vmm4j.engine.machine.failure.DeviceFailures;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Tasks that wait to be run with the machine lock held. Added from any thread. */
final class TaskQueue {
  private record Task(String path, Runnable action) {}

  private final Queue<Task> tasks = new ConcurrentLinkedQueue<>();
  private final DeviceFailures failures;

  TaskQueue(DeviceFailures failures) {
    this.failures = failures;
  }

  void add(String path, Runnable action) {
    tasks.add(new Task(path, action));
  }

  boolean isEmpty() {
    return tasks.isEmpty();
  }

  /** Runs those that wait now; what they add waits for the next time. With the lock held. */
  void runAll() {
    for (int left = tasks.size(); left > 0; left--) {
      Task task = tasks.poll();
      if (task == null) {
        return;
      }
      try {
        task.action.run();
      } catch (Throwable e) {
        failures.failed(task.path, "a task", e);
      }
    }
  }

  void clear() {
    tasks.clear();
  }
}
