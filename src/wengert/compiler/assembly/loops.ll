; Single loops over whole arrays, outside of programs.

; Where an array's numbers are: null unless it is an array of the wanted type and number of elements, in C order and
; aligned.
define ptr @numbers(ptr %object, i64 %n, ptr %ndarray, ptr %descr) {
start:
  %class.at = getelementptr i8, ptr %object, i64 8
  %class = load ptr, ptr %class.at
  %is.array = icmp eq ptr %class, %ndarray
  br i1 %is.array, label %look, label %no
look:
  %descr.at = getelementptr i8, ptr %object, i64 56
  %its.descr = load ptr, ptr %descr.at
  %same.dtype = icmp eq ptr %its.descr, %descr
  %flags.at = getelementptr i8, ptr %object, i64 64
  %flags = load i32, ptr %flags.at
  %wanted = and i32 %flags, 257
  %regular = icmp eq i32 %wanted, 257
  %usable = and i1 %same.dtype, %regular
  br i1 %usable, label %count, label %no
count:
  %nd.at = getelementptr i8, ptr %object, i64 24
  %nd.short = load i32, ptr %nd.at
  %nd = sext i32 %nd.short to i64
  %lengths.at = getelementptr i8, ptr %object, i64 32
  %lengths = load ptr, ptr %lengths.at
  br label %next
next:
  %k = phi i64 [0, %count], [%k.next, %more]
  %size = phi i64 [1, %count], [%size.next, %more]
  %left = icmp slt i64 %k, %nd
  br i1 %left, label %more, label %compare
more:
  %length.at = getelementptr i64, ptr %lengths, i64 %k
  %length = load i64, ptr %length.at
  %size.next = mul i64 %size, %length
  %k.next = add i64 %k, 1
  br label %next
compare:
  %fits = icmp eq i64 %size, %n
  br i1 %fits, label %yes, label %no
yes:
  %data.at = getelementptr i8, ptr %object, i64 16
  %data = load ptr, ptr %data.at
  ret ptr %data
no:
  ret ptr null
}
