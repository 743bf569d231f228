-- Which of the cases that an error code stands for an image met, in words of ours: the kind of an unsupported format, the fault of a certificate.
ALTER TABLE image ADD COLUMN error_detail TEXT;
