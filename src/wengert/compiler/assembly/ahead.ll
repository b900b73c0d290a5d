; A module compiled by a thread of the system: nothing but LLVM's functions, which need no GIL.

declare i32 @pthread_join(i64, ptr)

; Whether it is the caller who is to compile the module of a job. Of all who ask it is one.
define i64 @claim(ptr %job) {
  %at = getelementptr i64, ptr %job, i64 ${job.claimed}
  %taken = cmpxchg ptr %at, i64 0, i64 1 acq_rel monotonic
  %ours = extractvalue { i64, i1 } %taken, 1
  %answer = zext i1 %ours to i64
  ret i64 %answer
}

; What the thread of a job runs, once the thread before it has ended. Where anything is wrong there is no object.
define ptr @compile(ptr %job) {
start:
  %before = field i64 job.before %job
  %first = icmp eq i64 %before, 0
  br i1 %first, label %ask, label %wait
wait:
  %joined = call i32 @pthread_join(i64 %before, ptr null)
  br label %ask
ask:
  %ours = call i64 @claim(ptr %job)
  %taken = icmp eq i64 %ours, 0
  br i1 %taken, label %end, label %parse
parse:
  %context = field ptr job.context %job
  %text = field ptr job.text %job
  %message = getelementptr i64, ptr %job, i64 ${job.message}
  %do.parse = field ptr job.parse %job
  %module = call ptr %do.parse(ptr %context, ptr %text, ptr %message)
  %unread = icmp eq ptr %module, null
  br i1 %unread, label %end, label %verify
verify:
  %do.verify = field ptr job.verify %job
  %wrong = call i32 %do.verify(ptr %module, ptr %message)
  %right = icmp eq i32 %wrong, 0
  br i1 %right, label %emit, label %drop
emit:
  %machine = field ptr job.machine %job
  %do.emit = field ptr job.emit %job
  %object = call ptr %do.emit(ptr %machine, ptr %module, i32 1, ptr %message)
  put ptr %object, job.object %job
  br label %drop
drop:
  %dispose = field ptr job.dispose %job
  call void %dispose(ptr %module)
  br label %end
end:
  ret ptr null
}
